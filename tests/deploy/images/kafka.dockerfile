ARG BASE
FROM ${BASE}
RUN useradd --uid 1000 --create-home appuser \
    && mkdir -p /opt/kafka/config /opt/kafka/logs /etc/kafka/docker /etc/kafka/secrets /var/lib/kafka/data /mnt/shared/config \
    && chown -R appuser:appuser /opt/kafka /etc/kafka /var/lib/kafka /mnt/shared
COPY java/ /opt/java/
COPY libs/ /opt/kafka/libs/
COPY kafka-run.sh /etc/kafka/docker/run
ENV PATH=/opt/java/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
USER appuser
VOLUME ["/etc/kafka/secrets", "/var/lib/kafka/data", "/mnt/shared/config"]
CMD ["bash", "/etc/kafka/docker/run"]
