#!/usr/bin/env bash
# Boosters that xgboost 1.x pickled before 1.5, as those of NAS-Bench-301's published surrogates, load in xgboost 3.0 with
# the same predictions and are refused by xgboost 3.2. This runs 1.4.2; 1.0.2 behaved alike, while 1.7.6 is read by both.
#
# Expected: what 3.0 reads with a warning, 3.2 reads too, or says which version still does.
# Seen: 3.0.5 predicts the same numbers; 3.2.0 raises XGBoostError at the first bytes of the model.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/old"
"$work/old/bin/pip" install --quiet --disable-pip-version-check \
    xgboost==1.4.2 numpy==1.26.4 scipy==1.11.4 setuptools==75.0.0
for version in 3.0.5 3.2.0; do
    python3 -m venv "$work/$version"
    "$work/$version/bin/pip" install --quiet --disable-pip-version-check "xgboost-cpu==$version" numpy==2.4.6 scipy==1.17.1
done
cat > "$work/write.py" <<'PY'
import pickle
import sys

import numpy
import xgboost

features = numpy.random.RandomState(0).rand(50, 3)
booster = xgboost.train({"max_depth": 2}, xgboost.DMatrix(features, label=features[:, 0]), 3)
with open(sys.argv[1], "wb") as file:
    pickle.dump((booster, booster.predict(xgboost.DMatrix(features))), file)
PY
cat > "$work/read.py" <<'PY'
import pickle
import sys

import numpy
import xgboost

try:
    with open(sys.argv[1], "rb") as file:
        booster, expected = pickle.load(file)
    features = numpy.random.RandomState(0).rand(50, 3)
    found = booster.predict(xgboost.DMatrix(features))
    print("same predictions" if numpy.allclose(found, expected) else "other predictions")
except xgboost.core.XGBoostError as error:
    print("refused:", " ".join(str(error).split())[:160])
PY
"$work/old/bin/python" -W ignore "$work/write.py" "$work/booster.pickle" 2>/dev/null
new=$("$work/3.0.5/bin/python" -W ignore "$work/read.py" "$work/booster.pickle" 2>/dev/null)
newest=$("$work/3.2.0/bin/python" -W ignore "$work/read.py" "$work/booster.pickle" 2>/dev/null)
echo "pickled by xgboost 1.4.2"
echo "read by xgboost 3.0.5: $new"
echo "read by xgboost 3.2.0: $newest"
if [[ "$new" == "same predictions" && "$newest" == refused:* ]]; then
    echo "as described"
else
    echo "this has changed"
    exit 1
fi
