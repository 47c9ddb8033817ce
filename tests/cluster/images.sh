# The sample images; sourced. They behave by tag, so that a test can ask for the accident it wants:
#
#   webapp:0.1.0 0.2.0 0.3.0   a web server on 8080: /ready and /version
#   webapp:crashes             says why, exits 7
#   webapp:init-crashes        its init container says why, exits 9
#   webapp:never-ready         runs, and never answers /ready
#   webapp:slow                ready after 8 s
#   webapp:flaky               crashes once, then heals
#   webapp:absent              is not made: nobody has it
#   heartbeat:1.0.0 1.1.0      no port, no probe: a line every few seconds
#   heartbeat:crashes          says why, exits 3, after a second of looking fine
#   webapp-tests:passes        BDD tests that pass: their JUnit files are in /junit, and name the URL that they were given
#   webapp-tests:fails         one of three cases fails, exits 1
#   webapp-tests:lies          the same, exits 0
#   webapp-tests:grumbles      all cases pass, exits 1
#   webapp-tests:silent        no file
#   webapp-tests:empty         an empty file
#   webapp-tests:skips         only skipped cases
#   webapp-tests:broken        a file that breaks off
#   webapp-tests:sleeps        goes on for minutes, and does not listen to who stops it
#   busybox:1                  a shell and tar

registry=registry.shipcat.test
webapp_tags="0.1.0 0.2.0 0.3.0 crashes init-crashes never-ready slow flaky"
heartbeat_tags="1.0.0 1.1.0 crashes"
tests_tags="passes fails lies grumbles silent empty skips broken sleeps"

images_all() {
    local tag
    for tag in $webapp_tags; do echo "$registry/webapp:$tag"; done
    for tag in $heartbeat_tags; do echo "$registry/heartbeat:$tag"; done
    images_tests
}

# Those that run tests, and what brings their files.
images_tests() {
    local tag
    for tag in $tests_tags; do echo "$registry/webapp-tests:$tag"; done
    echo "$registry/busybox:1"
}

# With an engine at hand: FROM busybox, and the tag in the environment.
# images_by_docker [IMAGE...]: these, or all.
images_by_docker() {
    local image
    (($#)) || set -- $(images_all)
    for image; do
        quietly "building $image" docker build -q -t "$image" --build-arg "BEHAVIOUR=$(image_behaviour "$image")" "$here/image"
    done
}

image_behaviour() { local name=${1##*/}; echo "${name/:/ }"; }

# Without one: archives of the same form that `docker save` makes, one layer each, written by hand.
# images_archive BUSYBOX FILE: all of them in one archive, and a pause image for the sandboxes.
images_archive() {
    local busybox=$1 out=$2 work layer sum image config list=
    work=$cache/images.$$
    rm -rf "$work"
    mkdir -p "$work"/{bin,tmp,www,etc} "$work/out"
    cp "$busybox" "$work/bin/busybox"
    local applet
    for applet in sh cat echo env httpd kill ls mkdir mv printf rm sleep sync tar test touch true wc od sha256sum; do
        ln -s busybox "$work/bin/$applet"
    done
    install -m 755 "$here/image/app" "$work/bin/app"
    printf 'root:x:0:0::/:/bin/sh\n' >"$work/etc/passwd"
    tar --sort=name --owner=0 --group=0 --mtime=@0 -cf "$work/out/layer.tar" -C "$work" bin tmp www etc
    sum=$(sha256sum "$work/out/layer.tar"); sum=${sum%% *}
    for image in $(images_all) "$registry/pause:1"; do
        config=$(image_config "$(image_behaviour "$image")" "$sum")
        layer=$(printf '%s' "$config" | sha256sum); layer=${layer%% *}
        printf '%s' "$config" >"$work/out/$layer.json"
        list+=${list:+,}$(printf '{"Config":"%s.json","RepoTags":["%s"],"Layers":["layer.tar"]}' "$layer" "$image")
    done
    printf '[%s]' "$list" >"$work/out/manifest.json"
    tar -cf "$out.new" -C "$work/out" .
    mv "$out.new" "$out"
    rm -rf "$work"
}

image_config() {
    printf '{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/bin","BEHAVIOUR=%s"],"Cmd":["/bin/app"],"WorkingDir":"/"},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$1" "$2"
}
