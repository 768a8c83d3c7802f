#!/usr/bin/env bash
# Starts Beam's job server for Flink from the thin jars of pom.xml; further options are the job server's own.
# CLASSPATH may name further jars: those of a source that Flink reads itself.
# usage: job-server.sh JARS [--job-port=8099] [--flink-master='[local]'|HOST:PORT] [--flink-conf-dir=DIR] ...
set -euo pipefail
jars=${1:?usage: job-server.sh JARS [options of the job server]}
shift
opens=()
# Flink 1.16 looks into the JDK's own classes; Java 17 has to be told to let it.
for package in io lang lang.invoke lang.reflect math net nio text time util util.concurrent util.concurrent.atomic \
  util.concurrent.locks; do
  opens+=(--add-opens "java.base/java.$package=ALL-UNNAMED")
done
exec java "-Xmx${JOB_SERVER_MEMORY:-1g}" "${opens[@]}" -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
  -Dorg.slf4j.simpleLogger.log.org.apache.flink.metrics=error -Dorg.slf4j.simpleLogger.showDateTime=true \
  -cp "$jars/*${CLASSPATH:+:$CLASSPATH}" \
  org.apache.beam.runners.flink.FlinkJobServerDriver --artifact-port=0 --expansion-port=0 "$@"
