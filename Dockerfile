FROM python:3.11-slim-bookworm AS build
# For the compiled core.
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY pyproject.toml README.md LICENSE build_core.py hatch_build.py ./
COPY stream_kpi ./stream_kpi
RUN python -m venv /opt/stream-kpi && /opt/stream-kpi/bin/pip install --no-cache-dir .

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home stream-kpi
COPY --from=build /opt/stream-kpi /opt/stream-kpi
ENV PATH=/opt/stream-kpi/bin:$PATH PYTHONUNBUFFERED=1
USER 10001
EXPOSE 6066
ENTRYPOINT ["stream-kpi"]
CMD ["worker"]
