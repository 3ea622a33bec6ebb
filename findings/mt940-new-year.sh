#!/bin/sh
# One MT940 statement over New Year: right signs with a wrong year, or the right year with wrong signs
#
# Versions: mt-940 5.1.1 and camt053-loader-mt940 0.0.23 (with camt053 0.0.23) for Python, mt940js 1.3.5 for node.
# Expected: RC (a credit taken back) is money that leaves, RD (a debit taken back) is money that comes; the entry date has
#   no year and is the one next to the value date. So 100.00 + 10.50 - 2.00 + 0.50 = 109.00, the closing balance, with
#   lines booked on 31 December 2025, 2 and 5 January 2026.
# Seen: mt-940 has the days right, but RC and RD are both positive: 113.00. camt053-loader-mt940 has the days right too
#   and makes RC a CRDT and RD a DBIT, each with its reversal indicator: read by CdtDbtInd, as camt.053 is, that is
#   100.00 + 10.50 + 2.00 - 0.50 = 112.00, beside balances that say 109.00. mt940js has both signs right, 109.00, and
#   puts 31 December into 2026 and 2 January into 2025: the year is always that of the value date.
# Why it matters here: who turns a bank's old MT940 into camt.053 to import it here gets a statement whose lines do not
#   lead from one balance to the other; and lines of the last days of a year would change their accounting year.
# Here: Patard reads no MT940. In camt.053 it takes the sign from CdtDbtInd and holds lines against both balances, so that
#   a statement made so is refused rather than taken with a wrong sign.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/py"
"$work/py/bin/pip" install -q --disable-pip-version-check --no-deps mt-940==5.1.1 camt053-loader-mt940==0.0.23 \
    camt053==0.0.23 jinja2==3.1.6 markupsafe==3.0.4 defusedxml==0.7.1 xmlschema==4.3.2 elementpath==5.1.4
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts mt940js@1.3.5
cat > statement <<'MT940'
:20:NEWYEAR
:25:30003/34012345678
:28C:1/1
:60F:C251230EUR100,00
:61:2601021231C10,50NTRFEREF1//B1
:86:booked on the last day, its value on the second
:61:2512310102RC2,00NTRFEREF2//B2
:86:a credit taken back
:61:2601050105RD0,50NTRFEREF3//B3
:86:a charge given back
:62F:C260105EUR109,00
MT940
cat > read.py <<'PY'
from decimal import Decimal
import mt940
from camt053_loader_mt940 import parse_mt940

total = Decimal("100.00")
for one in mt940.parse("statement"):
    amount = one.data["amount"].amount
    total += amount
    print("mt-940:", one.data["entry_date"], f"{one.data['status']:2} {amount:+}")
print("mt-940: leads to", total)
(statement,) = parse_mt940(open("statement").read()).statements
total = Decimal("100.00")
for entry in statement.entries:
    total += Decimal(entry.amount) * (1 if entry.credit_debit_indicator == "CRDT" else -1)
    print("camt053-loader-mt940:", entry.booking_date, entry.credit_debit_indicator, entry.amount,
          "reversal" if entry.reversal_indicator else "booked")
print("camt053-loader-mt940: leads to", total)
PY
cat > read.js <<'JS'
const { Parser } = require("mt940js");
const [statement] = new Parser().parse(require("fs").readFileSync("statement", "utf8"));
let total = 100;
for (const one of statement.transactions) {
  total += one.amount;
  console.log(`mt940js: ${one.entryDate.toISOString().slice(0, 10)} ${one.amount.toFixed(2)}`);
}
console.log(`mt940js: leads to ${total.toFixed(2)}`);
JS
{ py/bin/python read.py; node read.js; } | tee seen
cat > expected <<'SEEN'
mt-940: 2025-12-31 C  +10.50
mt-940: 2026-01-02 RC +2.00
mt-940: 2026-01-05 RD +0.50
mt-940: leads to 113.00
camt053-loader-mt940: 2025-12-31 CRDT 10.50 booked
camt053-loader-mt940: 2026-01-02 CRDT 2.00 reversal
camt053-loader-mt940: 2026-01-05 DBIT 0.50 reversal
camt053-loader-mt940: leads to 112.00
mt940js: 2026-12-31 10.50
mt940js: 2025-01-02 -2.00
mt940js: 2026-01-05 0.50
mt940js: leads to 109.00
SEEN
diff expected seen || { echo "not what it was" >&2; exit 1; }
