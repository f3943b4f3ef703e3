ARG BASE
FROM ${BASE}
RUN groupadd --gid 999 mongodb && useradd --uid 999 --gid 999 --home-dir /data/db mongodb \
    && mkdir -p /data/db /data/configdb && chown -R mongodb:mongodb /data
COPY lib/ /usr/local/lib/mongo-ssl/
RUN echo /usr/local/lib/mongo-ssl >/etc/ld.so.conf.d/mongo.conf && ldconfig
COPY mongod /usr/bin/mongod
VOLUME ["/data/db", "/data/configdb"]
CMD ["mongod", "--bind_ip_all"]
