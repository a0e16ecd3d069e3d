# The shop as a container image. The canary does not use it: it deploys plain releases to VMs.
#   docker build --build-arg COMMIT="$(git rev-parse HEAD)" --tag shop:"$(git rev-parse HEAD)" .
#   docker run --publish 127.0.0.1:8080:8080 --volume shop:/var/lib/shop shop:...

FROM python:3.11-slim-bookworm AS build
WORKDIR /build
COPY app/requirements.txt .
# Install the locked versions and check their hashes, as on a host.
RUN python -m venv /opt/shop/venv \
 && /opt/shop/venv/bin/pip install --no-cache-dir --only-binary=:all: --require-hashes \
    --requirement requirements.txt

FROM python:3.11-slim-bookworm
ARG COMMIT=unknown
LABEL org.opencontainers.image.title="shop" \
      org.opencontainers.image.revision="${COMMIT}" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin shop \
 && install --directory --owner=shop --group=shop --mode=0750 /var/lib/shop
COPY --from=build /opt/shop/venv /opt/shop/venv
COPY app /opt/shop/app
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SHOP_HOST=0.0.0.0 \
    SHOP_RELEASE="${COMMIT}" \
    SHOP_STATE_DIRECTORY=/var/lib/shop \
    SHOP_RUN_DIRECTORY=/var/lib/shop/run
WORKDIR /opt/shop
USER 10001
VOLUME /var/lib/shop
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=2s --start-period=10s CMD \
    ["/opt/shop/venv/bin/python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/live')"]
# On SIGTERM it drains and finishes open requests.
ENTRYPOINT ["/opt/shop/venv/bin/python", "-m", "app"]
