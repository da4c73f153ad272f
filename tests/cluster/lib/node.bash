# shellcheck shell=bash
# A node that runs pods: containerd, kubelet, kube-proxy, DNS. Sourced by cluster.

why_no_node() { # prints why pods cannot run here, or nothing
  local p d=$dir/probe
  [[ $EUID -eq 0 ]] || { echo "not root"; return; }
  for p in containerd runc ip iptables docker-registry busybox skopeo /usr/lib/cni/bridge; do
    command -v $p >/dev/null || { echo "$p is missing"; return; }
  done
  ip link add "probe$$" type bridge 2>/dev/null || { echo "may not add a network bridge"; return; }
  ip link add "probe$$a" type veth peer name "probe$$b" 2>/dev/null || p=; ip link del "probe$$a" 2>/dev/null || true
  ip link del "probe$$"
  [[ $p ]] || { echo "may not add veth interfaces"; return; }
  mkdir -p "$d"/{lower,upper,work,merged}
  mount -t overlay overlay -o "lowerdir=$d/lower,upperdir=$d/upper,workdir=$d/work" "$d/merged" 2>/dev/null ||
    { echo "may not mount overlayfs in $dir"; return; }
  umount "$d/merged"; rm -rf "$d"
  for p in /sys/fs/cgroup/memory /sys/fs/cgroup; do
    [[ -d $p ]] || continue
    mkdir "$p/probe$$" 2>/dev/null || { echo "may not make a cgroup under $p"; return; }
    rmdir "$p/probe$$"; break
  done
}

# kernel settings that kubelet, kube-proxy and the bridge plugin change
settings=(net/ipv4/ip_forward net/ipv4/conf/all/route_localnet vm/overcommit_memory vm/panic_on_oom
  kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes)

push_image() { # TAG MKIMAGE-ARGUMENT ...
  local tag=$1; shift
  python3 "$here/mkimage.py" "$dir/images" "${tag/:/-}" --busybox /bin/busybox "$@" >/dev/null
  skopeo --insecure-policy copy -q --dest-tls-verify=false "oci:$dir/images:${tag/:/-}" "docker://127.0.0.1:${port[registry]}/$tag"
}

node_up() {
  mkdir -p "$dir"/{root,run,kubelet,cni,certs.d/_default}
  local s pid
  for s in "${settings[@]}"; do [[ ! -r /proc/sys/$s ]] || echo "$s $(cat "/proc/sys/$s")"; done >"$dir/settings"
  ip addr add "$address/22" dev "$bridge"; ip link set "$bridge" up # a node's address may not be a loopback one
  push_image pause:1 --command 'sleep 2147483647'
  push_image tool:1 --command sh
  # whatever registry an image name says: only the local one is asked
  cat >"$dir/certs.d/_default/hosts.toml" <<K
server = "http://127.0.0.1:${port[registry]}"
[host."http://127.0.0.1:${port[registry]}"]
  capabilities = ["pull", "resolve"]
K
  cat >"$dir/cni/pods.conflist" <<K
{"cniVersion": "0.4.0", "name": "$bridge", "plugins": [{
  "type": "bridge", "bridge": "$bridge", "isGateway": true, "isDefaultGateway": true, "ipMasq": false,
  "ipam": {"type": "host-local", "ranges": [[{"subnet": "$pods.0/22"}]], "dataDir": "$dir/cni/addresses"}}]}
K
  cat >"$dir/containerd.toml" <<K
version = 2
root = "$dir/containerd"
state = "$dir/run"
oom_score = 0
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs"]
[grpc]
  address = "$dir/run/sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "127.0.0.1:${port[registry]}/pause:1"
  restrict_oom_score_adj = true
  disable_apparmor = true
  stream_server_address = "127.0.0.1"
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$dir/cni"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "$dir/certs.d"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      Root = "$dir/run/runc"
K
  # in a mount namespace of its own, so that no mount can stay, and so that it works in a chroot
  start containerd "$bin/kcp" root "$dir/root" containerd --config "$dir/containerd.toml"
  await containerd 30 timeout 5 ctr -a "$dir/run/sock" version
  # one container before there is a kubelet: a machine where runc cannot work says so here
  mkdir -p "$dir/smoke/bin"; cp /bin/busybox "$dir/smoke/bin/"
  timeout 30 ctr -a "$dir/run/sock" -n smoke run --rm --null-io --runc-root "$dir/run/runc" --rootfs "$dir/smoke" \
    smoke /bin/busybox true 2>"$dir/log/smoke.log" ||
    { say "runc cannot run a container: $(tail -n 1 "$dir/log/smoke.log" | cut -c1-300)"; return 1; }
  cat >"$dir/kubelet.yaml" <<K
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $address
port: ${port[kubelet]}
healthzBindAddress: 127.0.0.1
healthzPort: ${port[kubelet_health]}
containerRuntimeEndpoint: unix://$dir/run/sock
authentication: {anonymous: {enabled: false}, webhook: {enabled: false}, x509: {clientCAFile: "$dir/pki/ca.crt"}}
authorization: {mode: AlwaysAllow}
cgroupDriver: cgroupfs
cgroupsPerQOS: false
enforceNodeAllocatable: []
failSwapOn: false
failCgroupV1: false
oomScoreAdj: 0
makeIPTablesUtilChains: false
localStorageCapacityIsolation: false
evictionHard: {memory.available: "0%", nodefs.available: "0%", imagefs.available: "0%", nodefs.inodesFree: "0%"}
imageGCHighThresholdPercent: 100
resolvConf: ""
clusterDNS: [$address]
clusterDomain: cluster.local
nodeStatusUpdateFrequency: 5s
volumePluginDir: $dir/kubelet/plugins-exec
podLogsDir: $dir/kubelet/podlogs
K
  read -r pid _ <"$dir/pid/containerd"
  start kubelet nsenter -t "$pid" -m "$bin/kcp" kubelet --config="$dir/kubelet.yaml" --kubeconfig="$dir/kubeconfig" \
    --root-dir="$dir/kubelet" --cert-dir="$dir/kubelet/pki" \
    --hostname-override="$node" --node-ip="$address"
  await kubelet 60 kubectl wait --for=condition=Ready "node/$node" --timeout=5s
  if ! iptables -w 5 -t nat -N KUBE-SERVICES 2>/dev/null; then # adding the chain claims it
    say "kube-proxy: not started, another one's rules are on this machine: Service addresses do not work in this cluster"
  else
    echo with_proxy=1 >>"$dir/state"
    start proxy "$bin/kcp" kube-proxy --kubeconfig="$dir/kubeconfig" --hostname-override="$node" \
      --proxy-mode=iptables --cluster-cidr="$pods.0/22" \
      --healthz-bind-address="127.0.0.1:${port[proxy_health]}" --metrics-bind-address="127.0.0.1:${port[proxy_metrics]}" \
      --conntrack-max-per-core=0 --conntrack-tcp-timeout-established=0 --conntrack-tcp-timeout-close-wait=0
    await proxy 30 http_ok "http://127.0.0.1:${port[proxy_health]}/healthz"
  fi
  start dns "$bin/kcp" dns "$dir/kubeconfig" "$address:53"
  sleep 0.3; await dns 5 true
}

node_down() {
  local ctr c ns p m i
  stop dns proxy kubelet
  ctr=(timeout 20 ctr -a "$dir/run/sock")
  if alive containerd; then # containers outlive kubelet and containerd: end them first
    for ns in k8s.io smoke; do
      for c in $("${ctr[@]}" -n $ns tasks ls -q 2>/dev/null); do "${ctr[@]}" -n $ns tasks kill -s SIGKILL "$c" || true; done >/dev/null 2>&1
      for c in $("${ctr[@]}" -n $ns containers ls -q 2>/dev/null); do
        for ((i = 0; i < 20; i++)); do
          "${ctr[@]}" -n $ns tasks rm -f "$c" && break
          "${ctr[@]}" -n $ns tasks ls -q | grep -q "^$c" || break
          sleep 0.1
        done
        "${ctr[@]}" -n $ns containers rm "$c" || true
        rm -f /var/lib/cni/results/*-"$c"-*
      done >/dev/null 2>&1
    done
  fi
  stop containerd
  for p in $(grep -lzxF "$dir/run/sock" /proc/[0-9]*/cmdline 2>/dev/null || true); do # shims that are left
    p=${p#/proc/}; kill -9 "${p%/cmdline}" 2>/dev/null || true
  done
  for p in /sys/fs/cgroup /sys/fs/cgroup/*; do rmdir "$p/smoke" "$p/k8s.io" 2>/dev/null || true; done # where empty
  [[ ! -d /var/log/containers ]] || find /var/log/containers -lname "$dir/*" -delete
  rm -f "$dir/containerd.toml"
  ! ip link show "$bridge" >/dev/null 2>&1 || ip link del "$bridge"
  if [[ ${with_proxy:-} ]]; then
    "$bin/kcp" kube-proxy --cleanup >"$dir/log/proxy-cleanup.log" 2>&1 || true
    for i in iptables ip6tables; do # the one chain that --cleanup leaves
      for m in '-D INPUT -j' '-D OUTPUT -j' -F -X; do
        # shellcheck disable=SC2086
        $i -w 5 $m KUBE-FIREWALL 2>/dev/null || true
      done
    done
  fi
  if [[ -f $dir/settings ]] && ! ip -o link | grep -q ': gapship[0-9]'; then # no other cluster here
    while read -r p m; do [[ $(cat "/proc/sys/$p") == "$m" ]] || echo "$m" >"/proc/sys/$p" || true; done <"$dir/settings" 2>/dev/null
  fi
}
