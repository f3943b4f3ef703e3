ARG BASE
FROM ${BASE}
RUN groupadd --gid 999 mongodb && useradd --uid 999 --gid 999 --home-dir /data/db mongodb \
    && mkdir -p /data/db /data/configdb && chown -R mongodb:mongodb /data
COPY lib/ /usr/local/lib/mongo-ssl/
ENV LD_LIBRARY_PATH=/usr/local/lib/mongo-ssl
COPY mongod /usr/bin/mongod
RUN mongod --version
VOLUME ["/data/db", "/data/configdb"]
CMD ["mongod", "--bind_ip_all"]
