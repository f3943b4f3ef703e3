// Pins promtool: go.sum has the hash of each module that it is built from. After another version is named here, write them:
// go build -mod=mod -tags=remove_all_sd -o /dev/null github.com/prometheus/prometheus/cmd/promtool
module throughline/promtool

go 1.26.7

require github.com/prometheus/prometheus v0.316.0
