# shellcheck shell=bash
# A git server and Argo CD. Sourced by cluster.

cmd_git() {
  open_dir "$1"; mkdir -p "$dir/git"
  ! alive git || return 0
  start git python3 "$here/gitserver.py" "$dir/git" "${port[git]}"
  await git 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/${port[git]}"
}

cmd_argocd() {
  open_dir "$1"
  ! alive argocd-server || return 0
  local w=$dir/argocd f
  mkdir -p "$w"/{path,home/.kube,tls,ssh,gpg,plugins,tmp}
  cp "$KUBECONFIG" "$w/home/.kube/config"
  ln -sf "$tools/${HELM:-helm4}" "$w/path/helm"; ln -sf "$bin/kustomize" "$w/path/kustomize"; ln -sf "$bin/argocd" "$w/path/argocd"
  kubectl create namespace argocd --dry-run=client -o yaml | kubectl apply -f - >/dev/null
  for f in application appproject applicationset; do kubectl apply --server-side -f "$bin/crds/$f-crd.yaml" >/dev/null; done
  for f in argocd-cm argocd-cmd-params-cm argocd-gpg-keys-cm argocd-rbac-cm argocd-ssh-known-hosts-cm argocd-tls-certs-cm argocd-secret; do
    echo ---; cat "$bin/config/$f.yaml"
  done | kubectl apply -n argocd -f - >/dev/null
  # an account for the API besides admin, and quick polling
  kubectl -n argocd patch configmap argocd-cm --type merge -p \
    '{"data": {"accounts.deployer": "apiKey,login", "timeout.reconciliation": "15s", "timeout.reconciliation.jitter": "1s"}}' >/dev/null
  kubectl -n argocd patch configmap argocd-rbac-cm --type merge -p \
    '{"data": {"policy.csv": "p, role:deployer, applications, *, */*, allow\np, role:deployer, projects, get, *, allow\ng, deployer, role:deployer\n"}}' \
    >/dev/null
  kubectl wait --for=condition=Established crd/applications.argoproj.io crd/appprojects.argoproj.io --timeout=15s >/dev/null
  # Debian's redis-tools hold the server, too, under this name; it takes its role from the name it is called by
  start redis bash -c 'exec -a redis-server redis-check-rdb "$@"' redis \
    --bind 127.0.0.1 --port "${port[redis]}" --save '' --appendonly no --dir "$w/tmp"
  local common=(--redis "127.0.0.1:${port[redis]}") repo=(--repo-server "127.0.0.1:${port[repo]}" --repo-server-plaintext)
  local env=(env HOME="$w/home" PATH="$w/path:$PATH" TMPDIR="$w/tmp" HOSTNAME=argocd-application-controller-0
    ARGOCD_FAKE_IN_CLUSTER=true ARGOCD_GPG_ENABLED=false
    ARGOCD_TLS_DATA_PATH="$w/tls" ARGOCD_SSH_DATA_PATH="$w/ssh" ARGOCD_GNUPGHOME="$w/gpg" ARGOCD_PLUGINSOCKFILEPATH="$w/plugins")
  start argocd-repo "${env[@]}" "$bin/argocd-repo-server" --address 127.0.0.1 --port "${port[repo]}" \
    --metrics-address 127.0.0.1 --metrics-port "${port[repo_metrics]}" --disable-tls "${common[@]}"
  start argocd-controller "${env[@]}" "$bin/argocd-application-controller" --namespace argocd \
    --metrics-port "${port[controller_metrics]}" "${repo[@]}" "${common[@]}"
  start argocd-server "${env[@]}" "$bin/argocd-server" --namespace argocd --address 127.0.0.1 --port "${port[argo]}" \
    --metrics-address 127.0.0.1 --metrics-port "${port[argo_metrics]}" --insecure --dex-server http://127.0.0.1:1 "${repo[@]}" "${common[@]}"
  # the controller's metrics cannot be bound to one address
  metrics_rule -I || true
  await argocd-server 60 http_ok "http://127.0.0.1:${port[argo]}/healthz"
  await argocd-server 60 "$tools/kubectl" -n argocd get secret argocd-initial-admin-secret
  await argocd-repo 20 bash -c "exec 3<>/dev/tcp/127.0.0.1/${port[repo]}"
  await argocd-controller 20 http_ok "http://127.0.0.1:${port[controller_metrics]}/healthz"
  (umask 077; kubectl -n argocd get secret argocd-initial-admin-secret -o jsonpath='{.data.password}' | base64 -d >"$w/password")
}

metrics_rule() { # -I or -D: the rule that keeps others from the controller's metrics
  local f rc=1
  for f in iptables ip6tables; do
    ! $f -w 5 "$1" INPUT ! -i lo -p tcp --dport "${port[controller_metrics]}" -j DROP 2>/dev/null || rc=0
  done
  return $rc
}

argocd_down() {
  stop argocd-server argocd-controller argocd-repo redis
  while metrics_rule -D; do :; done
}
