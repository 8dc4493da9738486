# The scoring service: a bundle, the bundled model and the runtime's library for Linux x64, without a shell and without root.
#   docker build --tag mnist-evaluate .
#   docker run --publish 127.0.0.1:5001:5001 mnist-evaluate
FROM --platform=linux/amd64 node:22-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY LICENSE ./
COPY src src
COPY data/models data/models
RUN node src/cli/build.mjs
# Only what runs: of the runtime's 288 MB the library for this platform, and none of the packages that are in the bundle.
RUN mkdir -p /app/dist /app/node_modules/onnxruntime-node/bin/napi-v6/linux /app/node_modules/onnxruntime-common/dist \
  && cp -R dist/main.cjs dist/main.bundle.cjs dist/score-worker.cjs dist/score-worker.bundle.cjs /app/dist/ \
  && cp -R --parents package.json LICENSE data/models /app/ \
  && cp -R node_modules/onnxruntime-node/package.json node_modules/onnxruntime-node/dist /app/node_modules/onnxruntime-node/ \
  && cp -R node_modules/onnxruntime-node/bin/napi-v6/linux/x64 /app/node_modules/onnxruntime-node/bin/napi-v6/linux/ \
  && cp -R node_modules/onnxruntime-common/package.json /app/node_modules/onnxruntime-common/ \
  && cp -R node_modules/onnxruntime-common/dist/cjs /app/node_modules/onnxruntime-common/dist/
# Fails here, and not in the cloud, where something is missing; and keeps the compiled code, which the image cannot write.
RUN node /app/dist/main.cjs serve --help > /dev/null

FROM --platform=linux/amd64 gcr.io/distroless/nodejs22-debian12:nonroot
WORKDIR /app
COPY --from=build /app /app
ENV NODE_ENV=production ORT_DISABLE_TELEMETRY=1
USER 65532:65532
EXPOSE 5001
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["/nodejs/bin/node", "-e", "fetch('http://127.0.0.1:5001/').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["/nodejs/bin/node", "/app/dist/main.cjs", "serve", "--host", "0.0.0.0", "--port", "5001"]
