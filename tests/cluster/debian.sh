# Kubernetes from Debian's packages, for machines without a Docker engine; sourced by `up` and `down`.
# Everything lives in the cache and the state folder, and apt's configuration is left alone. The one thing that may be installed is
# what nearly every machine has: openssl, ip, mount.
# Debian 12 has only kubectl as a binary (1.20.2), so the servers are built from Debian's source package.

kube=1.20.2
bin=$cache/bin-$kube
root=$cache/debian

debian_needed() {
    [[ $(uname -s) == Linux && $(id -u) == 0 ]] \
        || die "a cluster made of Debian's packages needs Linux and root" \
            "or name a cluster of yours: SHIPCAT_TEST_CONTEXT=<kube context>" "or install kind and start a Docker engine"
    # shellcheck source=/dev/null
    [[ $(. /etc/os-release; echo "${VERSION_CODENAME:-}") == bookworm ]] \
        || die "a cluster made of Debian's packages needs Debian 12 (bookworm)" \
            "or name a cluster of yours: SHIPCAT_TEST_CONTEXT=<kube context>" "or install kind and start a Docker engine"
    local tool missing=()
    for tool in openssl:openssl ip:iproute2 mount:mount; do
        command -v "${tool%:*}" >/dev/null || missing+=("${tool#*:}")
    done
    ((${#missing[@]})) || return 0
    [[ -d $cache/apt/parts ]] || quietly "reading Debian's package lists" debian_sources
    quietly "installing ${missing[*]}" debian_apt install -y --no-install-recommends "${missing[@]}"
}

# apt with lists and cache of its own, over the machine's own Debian sources (of which the source packages are wanted too).
debian_apt() {
    apt-get -q -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$cache/apt/parts" \
        -o Dir::State::Lists="$cache/apt/lists" -o Dir::Cache="$cache/apt/cache" -o APT::Sandbox::User=root "$@"
}

debian_sources() {
    mkdir -p "$cache"/apt/{parts,lists/partial,cache/archives/partial}
    rm -f "$cache"/apt/parts/*
    local file n=0
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [[ -f $file ]] || continue
        n=$((n + 1))
        # Debian's own suites only: other people's archives on the machine are none of our business.
        { grep -E '^deb .* bookworm(-updates|-security)? ' "$file" | sed 's/^deb /deb-src /'
          grep -E '^deb .* bookworm(-updates|-security)? ' "$file"; } >"$cache/apt/parts/$n.list" || true
    done
    for file in /etc/apt/sources.list.d/*.sources; do
        [[ -f $file ]] || continue
        grep -qE '^Suites:.*\bbookworm\b(-updates|-security)?( |$)' "$file" && ! grep -qE '^Suites:.*[a-z]-bookworm' "$file" || continue
        n=$((n + 1))
        sed 's/^Types:.*/Types: deb deb-src/' "$file" >"$cache/apt/parts/$n.sources"
    done
    debian_apt update
}

# Packages are unpacked into the cache, not installed.
debian_unpack() {
    local dir=$cache/apt/debs deb
    mkdir -p "$dir" "$root"
    (cd "$dir" && rm -f -- *.deb && debian_apt download "$@")
    for deb in "$dir"/*.deb; do dpkg-deb -x "$deb" "$root"; done
    rm -rf "$dir"
}

debian_source() {
    local dir=$cache/apt/source
    rm -rf "$dir"; mkdir -p "$dir" "$cache/build/src/k8s.io"
    (cd "$dir" && debian_apt source --download-only kubernetes)
    rm -rf "$cache/build/src/k8s.io/kubernetes"
    mkdir -p "$cache/build/src/k8s.io/kubernetes"
    tar xzf "$dir"/kubernetes_*.orig.tar.gz -C "$cache/build/src/k8s.io/kubernetes" --strip-components=1
    rm -rf "$dir"
}

# Module mode fails on Debian's vendor folder, hence the GOPATH of old.
debian_go() {
    env GO111MODULE=off CGO_ENABLED=0 GOFLAGS= GOPATH="$cache/build" GOCACHE="$cache/build/cache" GOTMPDIR="$cache/build/tmp" \
        GOROOT="$root/usr/lib/go-1.19" "$root/usr/lib/go-1.19/bin/go" "$@"
}

# The generated OpenAPI definitions are not in the source package; without them the API server dies at its start.
debian_openapi() {
    local tree=$cache/build/src/k8s.io/kubernetes inputs
    inputs=$(cd "$tree" && grep -rlE --include='*.go' '^// \+k8s:openapi-gen=' staging/src pkg \
        | grep -v '/testdata/\|_test\.go$' | xargs -n1 dirname | sort -u \
        | sed -e 's|^staging/src/|k8s.io/kubernetes/vendor/|' -e 's|^pkg/|k8s.io/kubernetes/pkg/|' | paste -sd,)
    debian_go build -o "$cache/build/openapi-gen" k8s.io/kubernetes/vendor/k8s.io/kube-openapi/cmd/openapi-gen
    (cd "$tree" && GO111MODULE=off GOPATH="$cache/build" GOROOT="$root/usr/lib/go-1.19" PATH="$root/usr/lib/go-1.19/bin:$PATH" \
        "$cache/build/openapi-gen" --go-header-file hack/boilerplate/boilerplate.generatego.txt --output-base "$cache/build/src" \
        --input-dirs "$inputs" --output-package k8s.io/kubernetes/pkg/generated/openapi \
        --output-file-base zz_generated.openapi --report-filename "$cache/build/openapi-violations")
}

debian_server() {
    local v major=${kube%%.*} minor flags=
    minor=${kube#*.}; minor=${minor%%.*}
    for v in component-base/version client-go/pkg/version; do
        flags+=" -X k8s.io/kubernetes/vendor/k8s.io/$v.gitVersion=v$kube"
        flags+=" -X k8s.io/kubernetes/vendor/k8s.io/$v.gitMajor=$major -X k8s.io/kubernetes/vendor/k8s.io/$v.gitMinor=$minor"
    done
    debian_go build -ldflags "-s -w $flags" -o "$bin/.$1" "k8s.io/kubernetes/cmd/$1" && mv "$bin/.$1" "$bin/$1"
}

# Fills the cache; what is there already is not made again.
debian_build() {
    local server missing=()
    mkdir -p "$bin" "$cache/build/tmp"
    if [[ ! -f $root/.complete ]]; then
        quietly "reading Debian's package lists" debian_sources
        rm -rf "$root"
        quietly "fetching etcd, containerd, runc, CNI plugins, busybox, kubectl" \
            debian_unpack etcd-server containerd runc containernetworking-plugins busybox-static kubernetes-client
        touch "$root/.complete"
    fi
    for server in kube-apiserver kube-controller-manager kube-scheduler kubelet; do
        [[ -x $bin/$server ]] || missing+=("$server")
    done
    ((${#missing[@]})) || return 0
    say "Kubernetes $kube is compiled once for this machine, into $cache: about 7 minutes on 2 cores"
    [[ -d $cache/apt/parts ]] || quietly "reading Debian's package lists" debian_sources
    [[ -x $root/usr/lib/go-1.19/bin/go ]] || quietly "fetching the Go compiler" debian_unpack golang-1.19-go golang-1.19-src
    # The Go package links to its sources by absolute path.
    quietly "placing the Go compiler" debian_relink
    quietly "fetching the Kubernetes source" debian_source
    quietly "generating OpenAPI definitions" debian_openapi
    for server in "${missing[@]}"; do quietly "compiling $server" debian_server "$server"; done
    # 3 GB that nobody needs again.
    chmod -R u+w "$cache/build" && rm -rf "$cache/build"
}

debian_relink() {
    local link target
    find "$root/usr/lib/go-1.19" "$root/usr/share/go-1.19" -type l | while read -r link; do
        target=$(readlink "$link")
        if [[ $target == /usr/* ]]; then ln -sfn "$root$target" "$link"; fi
    done
}
