# Worker and command line as static binaries, not root. The provider `local` needs Java and is for trials outside of containers.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o /out/ ./starter ./worker \
 && mv /out/starter /out/rocketshift && mv /out/worker /out/rocketshift-worker && mkdir -p /out/data

FROM alpine:3.22
COPY --from=build /out/rocketshift /out/rocketshift-worker /usr/local/bin/
COPY --from=build --chown=65532:65532 /out/data /data
ENV ROCKETSHIFT_HOME=/data ROCKETSHIFT_METRICS=0.0.0.0:9464
EXPOSE 9464
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/rocketshift-worker"]
