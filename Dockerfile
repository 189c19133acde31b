# The operator's image. The gateway will share it: one image, two entry points.
FROM python:3.13-slim AS build
WORKDIR /build
COPY requirements/operator.txt .
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --no-compile --require-hashes -r operator.txt
COPY common/novahunt_contract /venv/lib/python3.13/site-packages/novahunt_contract
COPY common/novahunt_api /venv/lib/python3.13/site-packages/novahunt_api
COPY operator/novahunt_operator /venv/lib/python3.13/site-packages/novahunt_operator
# Byte code is made once here: the root file system is read-only at run time.
RUN /venv/bin/pip uninstall --yes pip \
 && python -m compileall -q -j 0 /venv/lib/python3.13/site-packages \
 # A package that the lock file lacks must fail here, not in somebody's cluster.
 && /venv/bin/python -c "import novahunt_operator.__main__"

FROM python:3.13-slim
LABEL org.opencontainers.image.title="novahunt-operator" \
      org.opencontainers.image.description="Collects published business e-mail addresses for lists of domains, one Kubernetes Job per domain." \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
COPY --from=build /venv /venv
USER 65532:65532
ENTRYPOINT ["/venv/bin/python", "-m", "novahunt_operator"]
