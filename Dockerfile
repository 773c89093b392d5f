FROM python:3.11.14-slim-bookworm AS build
# For the compiled core.
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /source
RUN python -m venv /opt/stream-kpi
COPY pyproject.toml README.md LICENSE build_core.py hatch_build.py ./
COPY stream_kpi ./stream_kpi
# Nothing is installed in what runs: pip is not needed there either.
RUN /opt/stream-kpi/bin/pip install --no-cache-dir . && /opt/stream-kpi/bin/pip uninstall --yes pip setuptools

FROM python:3.11.14-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin stream-kpi
COPY --from=build /opt/stream-kpi /opt/stream-kpi
# The root file system may be read-only.
ENV PATH=/opt/stream-kpi/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001
EXPOSE 6066
STOPSIGNAL SIGTERM
ENTRYPOINT ["stream-kpi"]
CMD ["worker"]
