# kind, where a Docker engine answers, and a cluster that the user names; sourced by `up` and `down`.

kind_possible() { command -v kind >/dev/null && docker info >/dev/null 2>&1; }

# A name of its own for each state folder, so that two can run side by side.
kind_name() { printf 'shipcat-%s' "$(printf '%s' "$state" | cksum | cut -d' ' -f1)"; }

kind_up() {
    local name
    name=$(kind_name)
    if [[ -f $kubeconfig ]] && kubectl --kubeconfig "$kubeconfig" --request-timeout=5s get --raw /readyz >/dev/null 2>&1; then
        say "the kind cluster $name is up"
        return
    fi
    echo "$name" >"$state/kind"
    quietly "starting kind cluster $name" kind create cluster --name "$name" --kubeconfig "$kubeconfig" --wait 120s
    kubectl --kubeconfig "$kubeconfig" config rename-context "kind-$name" "$context" >/dev/null
    images_by_docker
    local tag
    for tag in $(images_all); do
        quietly "loading $tag" kind load docker-image "$tag" --name "$name"
    done
}

kind_down() {
    local name
    read -r name <"$state/kind"
    quietly "deleting kind cluster $name" kind delete cluster --name "$name" --kubeconfig "$state/kubeconfig"
    rm -f "$state/kind"
}

# The user's own cluster: a kubeconfig with nothing but that context in it, under the name that the tests know.
named_up() {
    say "using the context $SHIPCAT_TEST_CONTEXT"
    kubectl config view --raw --minify --flatten --context "$SHIPCAT_TEST_CONTEXT" >"$kubeconfig.new" \
        || die "there is no context $SHIPCAT_TEST_CONTEXT" "\`kubectl config get-contexts\` lists them"
    chmod 600 "$kubeconfig.new"
    if [[ $SHIPCAT_TEST_CONTEXT != "$context" ]]; then
        kubectl --kubeconfig "$kubeconfig.new" config rename-context "$SHIPCAT_TEST_CONTEXT" "$context" >/dev/null
    fi
    kubectl --kubeconfig "$kubeconfig.new" --request-timeout=10s get --raw /readyz >/dev/null \
        || die "the cluster of $SHIPCAT_TEST_CONTEXT does not answer" "is it running, and may you ask it?"
    mv "$kubeconfig.new" "$kubeconfig"
    if [[ $SHIPCAT_TEST_CONTEXT == kind-* ]] && kind_possible; then
        images_by_docker
        local tag
        for tag in $(images_all); do
            quietly "loading $tag" kind load docker-image "$tag" --name "${SHIPCAT_TEST_CONTEXT#kind-}"
        done
    else
        say "the nodes must have the sample images:"
        images_all >&2
    fi
}
