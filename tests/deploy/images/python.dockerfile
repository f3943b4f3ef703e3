ARG BASE
FROM ${BASE}
COPY python/ /usr/local/
COPY authorities.crt /etc/ssl/certs/ca-certificates.crt
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt PIP_DEFAULT_TIMEOUT=180
RUN ldconfig && python3 -m pip --version && python3 -c "import ssl, sqlite3, ctypes, lzma, bz2"
CMD ["python3"]
