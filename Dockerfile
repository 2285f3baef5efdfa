# The artifact of this project. Base images are pinned by tag: where a registry can be reached, pin the digest too
# (docker buildx imagetools inspect python:3.13-slim), as a tag can move.

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src

# What it runs on: hash-locked, and without the tools of development.
COPY deploy/requirements.lock deploy/requirements.lock
RUN python -m venv /opt/mindgap \
    && /opt/mindgap/bin/pip install --require-hashes --no-deps -r deploy/requirements.lock

# The wheel is built with the setuptools of the development lock, and leaves it behind.
COPY requirements.lock pyproject.toml README.md LICENSE ./
RUN awk '/^[^ #]/ {on = /^setuptools==/} on' requirements.lock > /tmp/setuptools.lock \
    && python -m venv /opt/tools \
    && /opt/tools/bin/pip install --require-hashes -r /tmp/setuptools.lock
COPY schemas schemas
COPY topics topics
COPY streams streams
COPY agents agents
RUN /opt/tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/mindgap/bin/pip install --no-deps --no-index /wheels/*.whl \
    && /opt/mindgap/bin/pip uninstall --yes pip

FROM python:3.13-slim
LABEL org.opencontainers.image.title="mindgap" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 mindgap \
    && useradd --uid 10001 --gid mindgap --no-create-home --home-dir /var/lib/mindgap --shell /usr/sbin/nologin mindgap \
    && install --directory --owner mindgap --group mindgap /var/lib/mindgap
COPY --from=build /opt/mindgap /opt/mindgap
COPY deploy/policy /etc/mindgap/policy
ENV PATH=/opt/mindgap/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MINDGAP_ENV=production \
    MINDGAP_POLICY=/etc/mindgap/policy/default.yaml
# The root file system may be read-only (docker run --read-only --tmpfs /tmp): only /tmp is written to, and nothing in
# it must survive.
WORKDIR /var/lib/mindgap
USER 10001:10001
EXPOSE 8480
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8480/healthz', timeout=4)"]
ENTRYPOINT ["mindgap"]
CMD ["worker"]
