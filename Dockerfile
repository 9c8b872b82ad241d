# Builds the wheel, installs it into an environment, and copies that into an image without build tools.
#   docker build -t auditor .
#   docker run --rm --network none -v "$PWD:/work:ro" auditor check plan.json
FROM python:3.12.8-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY auditor auditor
COPY policies policies
COPY provider_catalog provider_catalog
RUN python -m venv /opt/auditor && /opt/auditor/bin/pip install --no-cache-dir --disable-pip-version-check .

FROM python:3.12.8-slim-bookworm
COPY --from=build /opt/auditor /opt/auditor
ENV PATH=/opt/auditor/bin:$PATH PYTHONDONTWRITEBYTECODE=1
WORKDIR /work
USER 65532:65532
ENTRYPOINT ["auditor"]
CMD ["--help"]
