ARG BASE
FROM ${BASE}
RUN mkdir -p /prometheus /etc/prometheus && chown 65534:65534 /prometheus
COPY prometheus /bin/prometheus
USER 65534:65534
VOLUME ["/prometheus"]
ENTRYPOINT ["/bin/prometheus"]
