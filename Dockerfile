# Operator and gateway: one image, two entry points, because almost all that they need is the same. The operator starts
# unless another command is given; the chart gives the gateway's.

# The same packages in the same base give the same bytes again: docs/supply-chain.md. A registry's base is best named by
# its digest there.
ARG BASE=python:3.13-slim
FROM ${BASE} AS build
# pip itself must not leave byte code with times in it on its way out.
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0
WORKDIR /build
COPY requirements/operator.txt requirements/gateway.txt ./
# One installation of both locks: it fails where they name two versions of one package. Wheels only, so that nothing
# runs that a package brings.
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --no-compile --require-hashes --no-deps --only-binary :all: \
        -r operator.txt -r gateway.txt
COPY common/novahunt_contract /venv/lib/python3.13/site-packages/novahunt_contract
COPY common/novahunt_api /venv/lib/python3.13/site-packages/novahunt_api
COPY common/novahunt_client /venv/lib/python3.13/site-packages/novahunt_client
COPY operator/novahunt_operator /venv/lib/python3.13/site-packages/novahunt_operator
COPY gateway/novahunt_gateway /venv/lib/python3.13/site-packages/novahunt_gateway
# Byte code is made once here: the root file system is read-only at run time. It holds no times (unchecked-hash) and is
# made by one process in one order, so that it is the same again. The client's two thousand models are never loaded; the
# two modules that name them are.
RUN /venv/bin/pip uninstall --yes pip \
 && find /venv/bin -type f -delete \
 && python -m compileall -q -j 1 --invalidation-mode unchecked-hash \
        -x 'kubernetes/(aio/)?client/(models|api)/[a-z]' /venv/lib/python3.13/site-packages \
 # What the checkout's umask left must not show.
 && chmod -R u=rwX,go=rX /venv \
 # A package that the lock files lack must fail here, not in somebody's cluster.
 && /venv/bin/python -c "import novahunt_operator.__main__, novahunt_gateway.__main__"

FROM ${BASE}
LABEL org.opencontainers.image.title="novahunt-operator" \
      org.opencontainers.image.description="Collects published business e-mail addresses for lists of domains, one Kubernetes Job per domain." \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
COPY --from=build /venv /venv
# Numeric, so that Kubernetes can see that it is not root.
USER 65532:65532
ENTRYPOINT ["/venv/bin/python", "-m", "novahunt_operator"]
