# Two images of static binaries, not root: `worker` (the last, so also what plain `docker build` makes), which has the
# command line too, and `gateway`. The provider `local` needs Java and is for trials outside of containers.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# There is no version control in the context: docker build --build-arg VERSION=v1.2.3 says what --version tells.
ARG VERSION=
RUN mkdir -p /out /data \
 && for program in rocketshift=./starter rocketshift-worker=./worker rocketshift-gateway=./gateway; do \
      CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X rocketshift/internal/version.release=$VERSION" \
        -o "/out/${program%%=*}" "${program#*=}" || exit 1; \
    done

FROM alpine:3.22 AS base
COPY --from=build --chown=65532:65532 /data /data
WORKDIR /data
USER 65532:65532

FROM base AS gateway
COPY --from=build /out/rocketshift-gateway /usr/local/bin/
EXPOSE 8089 9465 9876
ENTRYPOINT ["/usr/local/bin/rocketshift-gateway"]
CMD ["--help"]

FROM base AS worker
COPY --from=build /out/rocketshift /out/rocketshift-worker /usr/local/bin/
ENV ROCKETSHIFT_HOME=/data ROCKETSHIFT_METRICS=0.0.0.0:9464
EXPOSE 9464
ENTRYPOINT ["/usr/local/bin/rocketshift-worker"]
