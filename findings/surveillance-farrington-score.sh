#!/usr/bin/env bash
# R surveillance, farringtonFlexible: the score mixes counts with a logarithm when the threshold is "nbPlugin" or "muan".
#
# The manual describes the score as the exceedance: how far the count lies above what is expected, in units of the distance
# from what is expected to the upper bound. One expects (observed - expected) / (upperbound - expected): 1 means the alarm's
# edge. For 21 reports where 20 are expected and the bound is 28 that is 1/8 = 0.125.
#
# Seen with r-cran-surveillance 1.20.3 (R 4.2.2): 0.72. The prediction is made on the scale of the link, so that the score
# is (observed - log(expected)) / (upperbound - log(expected)). Expected value, bound and alarms are right. With
# thresholdMethod = "delta" the same series gives 0.128, on the scale of counts.
#
# Why it matters here: our Farrington detector is held to this package. Its bounds can be compared, its scores cannot, and
# series that are ranked by this score are ranked wrongly: a quiet bin of a large series looks nearly alarming.
#
# Needs apt-get, dpkg and Debian 12's archive; writes to a temporary folder only. Exits 0 while the behaviour holds.
set -euo pipefail
VERSION=1.20.3-1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder"/{state,cache/archives/partial,root}
: >"$folder/status" # nothing counts as installed: all that the package needs is fetched
apt-get -o Dir::State::status="$folder/status" -o Dir::Cache="$folder/cache" -o Debug::NoLocking=1 \
  --no-install-recommends --download-only -y -q install "r-cran-surveillance=$VERSION" >"$folder/log" 2>&1 ||
  { tail -3 "$folder/log" >&2; echo "r-cran-surveillance $VERSION could not be fetched; run apt-get update first" >&2; exit 2; }
for package in "$folder"/cache/archives/*.deb; do dpkg -x "$package" "$folder/root"; done
cat >"$folder/score.R" <<'R'
suppressMessages(library(surveillance))
counts <- c(rep(c(18, 22, 20, 19, 21), 12), 21)
score_of <- function(method) {
  result <- farringtonFlexible(sts(counts, frequency = 5), control = list(
    range = 61, b = 10, w = 2, noPeriods = 1, pastWeeksNotIncluded = 0, trend = FALSE,
    alpha = 0.05, limit54 = c(0, 4), thresholdMethod = method, verbose = FALSE))
  expected <- as.numeric(result@control$expected); bound <- as.numeric(upperbound(result))
  score <- as.numeric(result@control$score)
  on_counts <- (21 - expected) / (bound - expected)
  with_logarithm <- (21 - log(expected)) / (bound - log(expected))
  cat(sprintf("%-9s observed 21, expected %.2f, upper bound %.2f, score %.4f; on counts %.4f, with log(expected) %.4f\n",
              method, expected, bound, score, on_counts, with_logarithm))
  abs(score - with_logarithm) < 1e-6 && abs(score - on_counts) > 0.5
}
cat("surveillance", format(packageVersion("surveillance")), "on R", paste(R.version$major, R.version$minor, sep = "."), "\n")
quit(status = if (score_of("nbPlugin") && !score_of("delta")) 0 else 1)
R
root=$folder/root
cp --remove-destination "$root/usr/lib/R/etc/Renviron.ucf" "$root/usr/lib/R/etc/Renviron" # a link to /etc/R of an installed R
arch=$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || echo "$(uname -m)-linux-gnu")
lib=$root/usr/lib/$arch
env -i PATH=/usr/bin:/bin HOME="$folder" LC_ALL=C R_HOME="$root/usr/lib/R" \
  LD_LIBRARY_PATH="$root/usr/lib/R/lib:$lib:$root/lib/$arch:$lib/blas:$lib/lapack" \
  R_SHARE_DIR="$root/usr/share/R/share" R_LIBS="$root/usr/lib/R/site-library:$root/usr/lib/R/library" \
  "$root/usr/lib/R/bin/exec/R" --vanilla --slave -f "$folder/score.R"
