#!/bin/sh
# Five countries of SEPA are outside of it for two IBAN libraries, one of them of October 2026
#
# Versions: schwifty 2026.10.1 (Python), ibantools 4.5.4 (npm): what is installed on 30 November 2026 where none is named.
# Expected: a library whose version is a month of 2026 has the countries that were added last to the list of the European
#   Payments Council (Albania, Moldova, Montenegro, North Macedonia, Serbia); the other one perhaps not Serbia.
# Seen: both take their IBANs for valid and say of all five that they are outside SEPA: schwifty by `in_sepa_zone`,
#   ibantools by `isSEPACountry`. Andorra, Switzerland, the United Kingdom, Monaco and San Marino are inside
#   for both, Turkey, Kosovo and Bosnia outside. They agree everywhere, so that holding one against the other, as one
#   does with libraries that check the same thing, shows nothing.
# Why it matters here: a ledger that asks such a library where euros can be sent refuses to pay out, or to take a mandate
#   from, people whose bank SEPA reaches.
# Here: Patard keeps its own list of the countries (EPC409-09), with the five, and takes only forms from a library.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/py"
"$work/py/bin/pip" install -q --disable-pip-version-check --no-deps schwifty==2026.10.1 pycountry==26.2.16 rstr==3.2.2 \
    pydantic==2.14.4 pydantic-core==2.50.5 annotated-types==0.8.0 typing-extensions==4.16.0 typing-inspection==0.4.5
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts ibantools@4.5.4
cat > ibans <<'IBANS'
AL47212110090000000235698741
MD24AG000225100013104168
ME25505000012345678951
MK07250120000058984
RS35260005601001611379
AD1200012030200359100100
CH9300762011623852957
GB29NWBK60161331926819
MC5811222000010123456789030
SM86U0322509800000000270100
TR330006100519786457841326
XK051212012345678906
BA391290079401028494
IBANS
cat > ask.py <<'PY'
from schwifty import IBAN

for text in open("ibans").read().split():
    print("schwifty:", text[:2], "valid", "in SEPA" if IBAN(text).in_sepa_zone else "outside SEPA")
PY
cat > ask.js <<'JS'
const { isValidIBAN, isSEPACountry } = require("ibantools");
for (const text of require("fs").readFileSync("ibans", "utf8").trim().split("\n")) {
  const country = text.slice(0, 2);
  const where = isSEPACountry(country) ? "in SEPA" : "outside SEPA";
  console.log(`ibantools: ${country} ${isValidIBAN(text) ? "valid" : "not valid"} ${where}`);
}
JS
{ py/bin/python ask.py; node ask.js; } | tee seen
cat > expected <<'SEEN'
schwifty: AL valid outside SEPA
schwifty: MD valid outside SEPA
schwifty: ME valid outside SEPA
schwifty: MK valid outside SEPA
schwifty: RS valid outside SEPA
schwifty: AD valid in SEPA
schwifty: CH valid in SEPA
schwifty: GB valid in SEPA
schwifty: MC valid in SEPA
schwifty: SM valid in SEPA
schwifty: TR valid outside SEPA
schwifty: XK valid outside SEPA
schwifty: BA valid outside SEPA
ibantools: AL valid outside SEPA
ibantools: MD valid outside SEPA
ibantools: ME valid outside SEPA
ibantools: MK valid outside SEPA
ibantools: RS valid outside SEPA
ibantools: AD valid in SEPA
ibantools: CH valid in SEPA
ibantools: GB valid in SEPA
ibantools: MC valid in SEPA
ibantools: SM valid in SEPA
ibantools: TR valid outside SEPA
ibantools: XK valid outside SEPA
ibantools: BA valid outside SEPA
SEEN
diff expected seen || { echo "not what it was" >&2; exit 1; }
