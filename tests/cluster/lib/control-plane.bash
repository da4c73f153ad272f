# shellcheck shell=bash
# Addresses, keys, etcd, API server, controllers, scheduler, registry. Sourced by cluster.

declare -A port
set_numbers() { # NUMBER: ports, bridge and address ranges
  number=$1
  local p=$((20000 + 20 * number)) name
  for name in api etcd peer kcm scheduler registry git kubelet kubelet_health proxy_health proxy_metrics \
    redis argo argo_metrics repo repo_metrics controller_metrics; do port[$name]=$((p++)); done
  bridge=gapship$number
  pods=10.85.$((4 * number)) services=10.96.$((4 * number)) node=node-1 # each a /22
  address=$pods.1
}

choose_number() { # the first whose 20 ports are free; adding the bridge claims it
  local n
  for n in ${CLUSTER_NUMBER:-$(seq 0 49)}; do
    set_numbers "$n"
    ! ip link show "$bridge" >/dev/null 2>&1 || continue
    [[ -z $(ss -Hltn "sport >= :${port[api]} and sport < :$((port[api] + 20))") ]] || continue
    if [[ $with_node ]]; then ip link add "$bridge" type bridge 2>/dev/null || continue; fi
    return 0
  done
  return 1
}

open_dir() { # DIR, which must hold a cluster
  dir=$(realpath -m "$1")
  [[ -f $dir/state ]] || die "no cluster in $dir"
  # shellcheck source=/dev/null
  . "$dir/state"
  set_numbers "$number"
  export KUBECONFIG=$dir/kubeconfig
}

kubectl() { "$tools/kubectl" --request-timeout=20s "$@"; }
http_ok() { curl -sf -m 5 -o /dev/null "$@"; }

make_pki() {
  local d=$dir/pki
  mkdir -p "$d"
  sign() { # NAME SUBJECT EXTENSIONS
    openssl req -new -key "$d/api.key" -subj "$2" -out "$d/$1.csr"
    openssl x509 -req -in "$d/$1.csr" -CA "$d/ca.crt" -CAkey "$d/ca.key" -CAcreateserial -days 3650 -out "$d/$1.crt" \
      -extfile <(printf '%s\n' "$3") 2>/dev/null
  }
  openssl ecparam -name prime256v1 -genkey -noout -out "$d/ca.key"
  openssl ecparam -name prime256v1 -genkey -noout -out "$d/api.key"
  openssl req -x509 -new -key "$d/ca.key" -subj /CN=test-ca -days 3650 -out "$d/ca.crt" -addext keyUsage=critical,keyCertSign,cRLSign
  sign api /CN=kube-apiserver \
    "subjectAltName=IP:127.0.0.1,IP:$services.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc"
  sign kubelet-client /O=system:masters/CN=kube-apiserver-kubelet-client extendedKeyUsage=clientAuth
  openssl genrsa -traditional -out "$d/sa.key" 2048 2>/dev/null
  openssl rsa -in "$d/sa.key" -pubout -out "$d/sa.pub" 2>/dev/null
  token=$(openssl rand -hex 16) dev_token=$(openssl rand -hex 16)
  (umask 077
    printf '%s,admin,admin,"system:masters"\n%s,dev,dev,"developers"\n' "$token" "$dev_token" >"$d/tokens.csv"
    cat >"$dir/kubeconfig" <<K
apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "https://127.0.0.1:${port[api]}", certificate-authority-data: $(base64 -w0 "$d/ca.crt")}}]
users: [{name: admin, user: {token: $token}}]
contexts: [{name: test, context: {cluster: test, user: admin}}]
current-context: test
K
  )
}

control_plane() {
  local d=$dir/pki c=$dir/kubeconfig
  start etcd "$bin/kcp" etcd --data-dir "$dir/etcd" --unsafe-no-fsync \
    --listen-client-urls "http://127.0.0.1:${port[etcd]}" --advertise-client-urls "http://127.0.0.1:${port[etcd]}" \
    --listen-peer-urls "http://127.0.0.1:${port[peer]}" --initial-advertise-peer-urls "http://127.0.0.1:${port[peer]}" \
    --initial-cluster "default=http://127.0.0.1:${port[peer]}"
  await etcd 30 http_ok "http://127.0.0.1:${port[etcd]}/health"
  start apiserver "$bin/kcp" kube-apiserver "--etcd-servers=http://127.0.0.1:${port[etcd]}" \
    --bind-address=127.0.0.1 --advertise-address=127.0.0.1 --secure-port="${port[api]}" --endpoint-reconciler-type=none \
    --cert-dir="$d" --tls-cert-file="$d/api.crt" --tls-private-key-file="$d/api.key" --client-ca-file="$d/ca.crt" \
    --token-auth-file="$d/tokens.csv" --authorization-mode=RBAC --allow-privileged=true \
    --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$d/sa.pub" --service-account-signing-key-file="$d/sa.key" \
    --kubelet-client-certificate="$d/kubelet-client.crt" --kubelet-client-key="$d/api.key" --kubelet-preferred-address-types=InternalIP \
    --service-cluster-ip-range="$services.0/22"
  await apiserver 90 http_ok --cacert "$d/ca.crt" -H "Authorization: Bearer $token" "https://127.0.0.1:${port[api]}/readyz"
  local common=("--kubeconfig=$c" "--authentication-kubeconfig=$c" "--authorization-kubeconfig=$c"
    --bind-address=127.0.0.1 "--cert-dir=$d" --leader-elect=false)
  start controllers "$bin/kcp" kube-controller-manager "${common[@]}" --secure-port="${port[kcm]}" \
    --service-account-private-key-file="$d/sa.key" --root-ca-file="$d/ca.crt"
  start scheduler "$bin/kcp" kube-scheduler "${common[@]}" --secure-port="${port[scheduler]}"
  cat >"$dir/registry.yaml" <<K
version: 0.1
storage: {filesystem: {rootdirectory: "$dir/registry"}, delete: {enabled: true}}
http: {addr: "127.0.0.1:${port[registry]}"}
log: {level: warn}
K
  start registry docker-registry serve "$dir/registry.yaml"
  await registry 20 http_ok "http://127.0.0.1:${port[registry]}/v2/"
  await controllers 60 kubectl -n default get serviceaccount default
  await scheduler 30 http_ok -k "https://127.0.0.1:${port[scheduler]}/healthz"
}
