#!/bin/sh
# sepaxml and mock-bank: two transfers without a reference are one too many
#
# Versions: sepaxml 2.7.0 writes pain.001.001.09 (and checks it against its schema), mock-bank 0.9.0 takes it.
# Expected: where a transfer has no reference of its own, sepaxml writes the value of the rulebook for that, NOTPROVIDED;
#   it names nothing, so it may stand in a file as often as it likes, and a bank pays both.
# Seen: mock-bank takes NOTPROVIDED for a reference like any other. The first transfer is accepted, the second is rejected
#   as a duplicate (AM05), and the answer to the file is PART: one of two members is paid, in the order of the file.
#   With references of their own both are accepted. Both halves do what they say, and the file is valid.
# Why it matters here: a test of payouts against that bank with the library's defaults is half green, and the rejection
#   comes back under NOTPROVIDED, the reference of the payment that was accepted too: it cannot say whose it is.
# Here: Patard gives every payout an EndToEndId of its own, and takes NOTPROVIDED in what it reads for no reference.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/py"
"$work/py/bin/pip" install -q --disable-pip-version-check --no-deps sepaxml==2.7.0 text-unidecode==1.3 \
    xmlschema==4.3.2 elementpath==5.1.4 mock-bank==0.9.0
cd "$work"
cat > pay.py <<'PY'
import datetime
import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from sepaxml import SepaTransfer

def transfers(*references):
    file = SepaTransfer(
        {"name": "Asso", "IBAN": "NL41MOCK0000000001", "BIC": "MOCKNL2A", "batch": False, "currency": "EUR"},
        schema="pain.001.001.09", clean=True,
    )
    for name, cents, reference in zip(("One", "Two"), (1000, 1500), references, strict=True):
        payment = {"name": name, "IBAN": "FR7630006000011234567890189", "amount": cents, "description": name,
                   "execution_date": datetime.date(2026, 10, 1)}
        file.add_payment(payment | ({"endtoend_id": reference} if reference else {}))
    return file.export(validate=True)

def ask(method, path, body=None):
    for _try in range(100):
        try:
            with urllib.request.urlopen(urllib.request.Request(bank + path, data=body, method=method)) as answer:
                return json.load(answer)
        except urllib.error.HTTPError:
            raise
        except urllib.error.URLError:  # not up yet
            time.sleep(0.1)
    raise SystemExit("the bank does not answer")

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
bank = f"http://127.0.0.1:{port}"
run = subprocess.Popen([sys.executable, "-m", "mockbank", "--port", str(port), "--clock", "2026-09-30T09:00", "-q"])
try:
    ask("GET", "/_mock/health")
    for references in ((None, None), ("PAYOUT-1", "PAYOUT-2")):
        answer = ask("POST", "/payments", transfers(*references))
        print("the file:", answer["status"])
        for one in answer["payments"]:
            print("   ", one["end_to_end_id"], one["amount"], one["outcome"], one["reason"] or "-")
finally:
    run.terminate()
    run.wait()
PY
py/bin/python pay.py | tee seen
cat > expected <<'SEEN'
the file: PART
    NOTPROVIDED 1000 accepted -
    NOTPROVIDED 1500 rejected AM05
the file: ACCP
    PAYOUT-1 1000 accepted -
    PAYOUT-2 1500 accepted -
SEEN
diff expected seen || { echo "not what it was" >&2; exit 1; }
