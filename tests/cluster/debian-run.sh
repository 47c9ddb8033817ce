# Starts and stops the servers that debian.sh made; sourced by `up` and `down`.

debian_up() {
    debian_needed
    # Whoever comes second waits for the first one's build.
    exec 8>"$cache/.lock"
    flock 8
    debian_build
    [[ $cache/images.tar -nt $here/images.sh && $cache/images.tar -nt $here/image/app ]] \
        || quietly "making the sample images" images_archive "$root/bin/busybox" "$cache/images.tar"
    ln -sfn "$root/usr/bin/kubectl" "$bin/kubectl"
    exec 8>&-
    command -v kubectl >/dev/null || PATH=$PATH:$bin

    if debian_answers; then
        say "the cluster in $state is up"
    else
        debian_down
        say "starting Kubernetes $kube in $state"
        debian_start
        say "the node is ready"
    fi
    if [[ ! $state/images-loaded -nt $cache/images.tar ]]; then
        quietly "loading the sample images" debian_ctr images import "$cache/images.tar"
        touch "$state/images-loaded"
    fi
}

debian_answers() {
    local name
    for name in etcd apiserver controller-manager scheduler containerd kubelet registry; do
        alive "$state/pid/$name" || return 1
    done
    debian_kubectl get --raw /readyz >/dev/null 2>&1
}

debian_kubectl() { kubectl --kubeconfig "$kubeconfig" --request-timeout=5s "$@"; }
debian_ctr() { "$root/usr/bin/ctr" --address "$state/containerd.sock" -n k8s.io "$@"; }
debian_node_ready() { [[ $(debian_kubectl get node "$node" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}') == True ]]; }

debian_start() {
    local api etcd peer cm sched kubelet healthz registry_port id subnet
    rm -rf "$state"/{etcd,pki,conf,log,pid,cni}
    mkdir -p "$state"/{etcd,pki,conf/cni,log,pid,run,kubelet,containerd,cni}
    free_port; api=$port; free_port; etcd=$port; free_port; peer=$port; free_port; cm=$port
    free_port; sched=$port; free_port; kubelet=$port; free_port; healthz=$port; free_port; registry_port=$port
    # A short name from the folder's, for the node and its bridge; and a subnet that no route of this machine knows.
    id=$(printf '%s' "$state" | cksum | cut -d' ' -f1)
    node=shipcat-$id
    bridge=sc$id
    subnet=10.$((60 + id % 180))
    while ip -4 route show | grep -q "^${subnet//./\\.}\."; do subnet=10.$((60 + RANDOM % 180)); done
    printf '%s\n' "$bridge" >"$state/bridge"
    ip link add "$bridge" type bridge
    ip addr add "$subnet.0.1/24" dev "$bridge"
    ip link set "$bridge" up
    ip link set lo up

    debian_pki "$subnet.0.1"
    debian_kubeconfig "$kubeconfig" admin "$api"
    debian_kubeconfig "$state/conf/kubelet.kubeconfig" node "$api"
    debian_containerd_config "$subnet" "$registry_port"

    daemon registry "$root/bin/busybox" httpd -f -p "127.0.0.1:$registry_port" -h "$state/run"
    daemon etcd "$root/usr/bin/etcd" --data-dir "$state/etcd" --unsafe-no-fsync \
        --listen-client-urls "http://127.0.0.1:$etcd" --advertise-client-urls "http://127.0.0.1:$etcd" \
        --listen-peer-urls "http://127.0.0.1:$peer" --initial-advertise-peer-urls "http://127.0.0.1:$peer" \
        --initial-cluster "default=http://127.0.0.1:$peer"
    daemon apiserver "$bin/kube-apiserver" --etcd-servers "http://127.0.0.1:$etcd" \
        --bind-address 127.0.0.1 --advertise-address "$subnet.0.1" --secure-port "$api" \
        --service-cluster-ip-range 10.250.0.0/16 --authorization-mode Node,RBAC --client-ca-file "$state/pki/ca.crt" \
        --tls-cert-file "$state/pki/server.crt" --tls-private-key-file "$state/pki/server.key" \
        --kubelet-client-certificate "$state/pki/admin.crt" --kubelet-client-key "$state/pki/admin.key" \
        --kubelet-preferred-address-types InternalIP --endpoint-reconciler-type none \
        --service-account-key-file "$state/pki/sa.pub" --service-account-signing-key-file "$state/pki/sa.key" \
        --service-account-issuer https://kubernetes.default.svc
    until_ok 60 "the API server" debian_kubectl get --raw /readyz
    daemon controller-manager "$bin/kube-controller-manager" --kubeconfig "$kubeconfig" --leader-elect=false \
        --bind-address 127.0.0.1 --secure-port "$cm" --port 0 --root-ca-file "$state/pki/ca.crt" \
        --service-account-private-key-file "$state/pki/sa.key"
    daemon scheduler "$bin/kube-scheduler" --kubeconfig "$kubeconfig" --leader-elect=false \
        --bind-address 127.0.0.1 --secure-port "$sched" --port 0
    daemon containerd env PATH="$root/usr/bin:$root/usr/sbin:$PATH" "$root/usr/bin/containerd" --config "$state/conf/containerd.toml"
    until_ok 30 containerd debian_ctr version
    quietly "loading the sample images" debian_ctr images import "$cache/images.tar"
    touch "$state/images-loaded"
    debian_kubelet_config "$kubelet" "$healthz" "$subnet.0.1"
    daemon kubelet "$bin/kubelet" --config "$state/conf/kubelet.yaml" --kubeconfig "$state/conf/kubelet.kubeconfig" \
        --root-dir "$state/kubelet" --cert-dir "$state/kubelet/pki" --container-runtime remote \
        --container-runtime-endpoint "unix://$state/containerd.sock" --hostname-override "$node" --node-ip "$subnet.0.1"
    until_ok 90 "the node" debian_node_ready
    until_ok 30 "the default service account" debian_kubectl get serviceaccount default
}

# A CA, and a certificate each for the API server, the administrator and the node.
debian_pki() {
    local dir=$state/pki
    {
        openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=shipcat-test-ca -keyout "$dir/ca.key" -out "$dir/ca.crt"
        debian_cert server /CN=kube-apiserver "subjectAltName=IP:127.0.0.1,IP:$1,IP:10.250.0.1,DNS:localhost,DNS:kubernetes.default.svc"
        debian_cert admin /O=system:masters/CN=shipcat-test-admin
        debian_cert node "/O=system:nodes/CN=system:node:$node"
        openssl genrsa -out "$dir/sa.key" 2048
        openssl rsa -in "$dir/sa.key" -pubout -out "$dir/sa.pub"
    } >"$state/log/pki.log" 2>&1
    chmod 600 "$dir"/*.key
}

debian_cert() {
    local dir=$state/pki
    openssl req -newkey rsa:2048 -nodes -subj "$2" -keyout "$dir/$1.key" -out "$dir/$1.csr"
    openssl x509 -req -days 3650 -in "$dir/$1.csr" -CA "$dir/ca.crt" -CAkey "$dir/ca.key" -CAcreateserial -out "$dir/$1.crt" \
        -extfile <(printf '%s\nextendedKeyUsage=serverAuth,clientAuth\n' "${3:-}")
}

# debian_kubeconfig FILE CERT PORT
debian_kubeconfig() {
    local dir=$state/pki
    (umask 077; cat >"$1" <<EOF
apiVersion: v1
kind: Config
current-context: $context
clusters:
- name: $context
  cluster: {server: "https://127.0.0.1:$3", certificate-authority-data: "$(base64 -w0 "$dir/ca.crt")"}
users:
- name: $context
  user: {client-certificate-data: "$(base64 -w0 "$dir/$2.crt")", client-key-data: "$(base64 -w0 "$dir/$2.key")"}
contexts:
- name: $context
  context: {cluster: $context, user: $context}
EOF
    )
}

debian_containerd_config() {
    # The registry of the sample images answers 404 to everything: what is not loaded is truly not there.
    mkdir -p "$state/conf/certs/$registry"
    printf 'server = "http://127.0.0.1:%s"\n\n[host."http://127.0.0.1:%s"]\n  capabilities = ["pull", "resolve"]\n' "$2" "$2" \
        >"$state/conf/certs/$registry/hosts.toml"
    cat >"$state/conf/cni/10-bridge.conflist" <<EOF
{"cniVersion": "0.4.0", "name": "$bridge", "plugins": [{"type": "bridge", "bridge": "$bridge", "isGateway": true,
  "ipam": {"type": "host-local", "dataDir": "$state/cni", "ranges": [[{"subnet": "$1.0.0/24"}]]}}]}
EOF
    cat >"$state/conf/containerd.toml" <<EOF
version = 2
root = "$state/containerd"
state = "$state/run/containerd"
[grpc]
  address = "$state/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$registry/pause:1"
  # Without the capability SYS_RESOURCE runc cannot lower an OOM score.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$root/usr/lib/cni"
    conf_dir = "$state/conf/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        BinaryName = "$root/usr/sbin/runc"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "$state/conf/certs"
EOF
}

# debian_kubelet_config PORT HEALTHZ ADDRESS
debian_kubelet_config() {
    : >"$state/conf/resolv.conf"
    cat >"$state/conf/kubelet.yaml" <<EOF
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $3
port: $1
readOnlyPort: 0
healthzPort: $2
resolvConf: $state/conf/resolv.conf
# Nobody is there, and no pod of ours asks; without an address kubelet warns at each pod.
clusterDNS: [10.250.0.10]
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $state/pki/ca.crt}}
authorization: {mode: Webhook}
cgroupDriver: cgroupfs
cgroupsPerQOS: false
enforceNodeAllocatable: []
failSwapOn: false
evictionHard: {memory.available: 50Mi, nodefs.available: "1%", imagefs.available: "1%", nodefs.inodesFree: "1%"}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
serializeImagePulls: false
registryPullQPS: 0
# What kubelets have had since 1.27; with the 5 of before (of events also where it says 0), reports of many pods at once come seconds late.
kubeAPIQPS: 50
kubeAPIBurst: 100
eventRecordQPS: 50
eventBurst: 100
EOF
}

# Containers first, while containerd can still end them; then the servers; then mounts, bridge and files.
debian_down() {
    local name id bridge
    [[ -d $state/pid ]] || return 0
    say "stopping the cluster in $state"
    stop kubelet
    if alive "$state/pid/containerd"; then
        for id in $(debian_ctr tasks list -q 2>/dev/null); do
            debian_ctr tasks kill --signal KILL "$id" >/dev/null 2>&1 || true
        done
        for ((i = 0; i < 30; i++)); do
            debian_ctr tasks list 2>/dev/null | grep -q RUNNING || break
            sleep 0.1
        done
        for id in $(debian_ctr tasks list -q 2>/dev/null); do debian_ctr tasks delete --force "$id" >/dev/null 2>&1 || true; done
    fi
    for name in containerd scheduler controller-manager apiserver etcd registry; do stop "$name"; done
    # Deepest mount first. /proc/mounts writes a blank in a path as \040.
    awk -v at="$state/" '{gsub(/\\040/, " ", $2); if (index($2, at) == 1) print $2}' /proc/mounts | sort -r | while read -r name; do
        umount "$name" 2>/dev/null || umount -l "$name" || true
    done
    if [[ -f $state/bridge ]]; then
        read -r bridge <"$state/bridge"
        ip link delete "$bridge" 2>/dev/null || true
    fi
    rm -rf "$state"/{pid,etcd,pki,conf,run,kubelet,containerd,cni,containerd.sock,containerd.sock.ttrpc,bridge,images-loaded}
}
