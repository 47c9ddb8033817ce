# shipcat with kubectl and git, for jobs that run in containers; `make image` builds it. What is pinned here is what CI takes as well.
ARG RUST=1.95.0
ARG ALPINE=3.22

FROM docker.io/library/rust:${RUST}-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends binutils musl-tools && rm -rf /var/lib/apt/lists/* \
    && rustup target add x86_64-unknown-linux-musl
WORKDIR /shipcat
COPY . .
ARG SHIPCAT_REVISION=
ENV TARGET=x86_64-unknown-linux-musl CARGO_TARGET_DIR=/target
RUN binary=$(release/static) && install -m 755 "$binary" /usr/local/bin/shipcat

FROM docker.io/library/alpine:${ALPINE} AS kubectl
ARG KUBECTL=1.34.4
ARG KUBECTL_SHA256=d50c359d95e0841eaad08ddc27c7be37cba8fdccfba5c8e2ded65e121ff112db
RUN wget -O /kubectl "https://dl.k8s.io/release/v${KUBECTL}/bin/linux/amd64/kubectl" \
    && echo "${KUBECTL_SHA256}  /kubectl" | sha256sum -c - \
    && chmod 755 /kubectl

FROM docker.io/library/alpine:${ALPINE}
# The manifests repo is mounted and belongs to somebody else: git is told that this is meant.
RUN apk add --no-cache ca-certificates git && git config --system --add safe.directory '*' && adduser -D -u 10001 shipcat
COPY --from=kubectl /kubectl /usr/local/bin/kubectl
COPY --from=build /usr/local/bin/shipcat /usr/local/bin/shipcat
USER 10001
WORKDIR /work
ENTRYPOINT ["shipcat"]
