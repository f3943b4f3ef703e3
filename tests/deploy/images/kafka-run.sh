#!/bin/bash
# as the official image starts: configuration from KAFKA_*, storage formatted unless it is, then the broker
set -e
printf '%s\n' 'process.roles=broker,controller' 'node.id=1' >/etc/kafka/docker/server.properties
printf '%s\n' 'Configuration:' '  Appenders:' '    Console: {name: STDOUT, PatternLayout: {pattern: "[%d] %p %m (%c)%n"}}' \
    '  Loggers:' '    Root: {level: INFO, AppenderRef: [{ref: STDOUT}]}' | tee /etc/kafka/docker/log4j2.yaml >/etc/kafka/docker/tools-log4j2.yaml
run() { java ${KAFKA_OPTS:-} -Dlog4j2.configurationFile=/etc/kafka/docker/log4j2.yaml -cp '/opt/kafka/libs/*' "$@"; }
said=$(run -Xmx128m kafka.docker.KafkaDockerWrapper setup --default-configs-dir /etc/kafka/docker \
    --mounted-configs-dir /mnt/shared/config --final-configs-dir /opt/kafka/config 2>&1) ||
    grep -qi 'already formatted' <<<"$said" || { echo "$said"; exit 1; }
exec java ${KAFKA_HEAP_OPTS:--Xmx512m} ${KAFKA_OPTS:-} -Dlog4j2.configurationFile=/opt/kafka/config/log4j2.yaml \
    -cp '/opt/kafka/libs/*' kafka.Kafka /opt/kafka/config/server.properties
