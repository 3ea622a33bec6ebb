#!/bin/sh
# Two codes in one picture: three QR readers, three answers
#
# Versions: segno 1.6.6 draws; zxing-cpp 3.1.1, jsQR 1.4.0 and @zxing/library 0.21.3 read. Neither pictures nor libraries
#   are damaged: two clean codes of one size, 6 pixels a module, with a quiet zone of 4 modules each.
# Expected: a reader that gives one text gives the left or the upper code; a reader of all gives them in reading order.
# Seen: zxing-cpp gives both, upper or left first, but a light-on-dark code comes after every dark-on-light one, even
#   where it stands first. jsQR finds NOTHING where two codes of one size stand side by side or one above the other,
#   although it reads each of them alone, and one that stands beside an inverted one. @zxing/library gives the upper one, and nothing when they stand side by side.
# Why it matters here: a till that shows its own code beside another one (a second customer's, a top-up by transfer) can
#   be read by one member's phone and not by another's; and "the first code" of a picture is not the first that one sees.
# Here: Patard reads with zxing-cpp, takes all that it finds and puts it in the order of where it stands itself.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/py"
"$work/py/bin/pip" install -q --disable-pip-version-check --no-deps segno==1.6.6 zxing-cpp==3.1.1
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts jsqr@1.4.0 @zxing/library@0.21.3 ts-custom-error@3.3.1
cat > draw.py <<'PY'
import json
import segno
import zxingcpp

def code(euros):
    text = f"BCD\n002\n1\nSCT\n\nAsso\nFR7630006000011234567890189\nEUR{euros}.00\n\n\nTEST"
    rows = segno.make(text, micro=False, error="m", boost_error=False).matrix_iter(scale=6, border=4)
    return [bytes(0 if dark else 255 for dark in row) for row in rows]

def inverted(rows):
    return [bytes(255 - one for one in row) for row in rows]

def beside(a, b):
    return [left + right for left, right in zip(a, b, strict=True)]

fifteen, twelve = code(15), code(12)
pictures = {
    "alone": fifteen, "the other alone": twelve,
    "side by side": beside(fifteen, twelve), "one above the other": fifteen + twelve,
    "first one inverted": inverted(fifteen) + twelve,
}
kept = {}
for name, rows in pictures.items():
    wide, high, grey = len(rows[0]), len(rows), b"".join(rows)
    found = zxingcpp.read_barcodes(memoryview(grey).cast("B", (high, wide)))
    print(f"zxing-cpp, {name}:", *[one.text.split("\n")[7] for one in found] or ["nothing"])
    kept[name] = [wide, high, grey.hex()]
with open("pictures.json", "w") as file:
    json.dump(kept, file)
PY
cat > read.js <<'JS'
const jsqr = require("jsqr"), zx = require("@zxing/library");
const amount = (text) => (text ? text.split("\n")[7] : "nothing");
function zxing(grey, wide, high) {
  const source = new zx.RGBLuminanceSource(new Uint8ClampedArray(grey), wide, high);
  const hints = new Map([[zx.DecodeHintType.TRY_HARDER, true]]);
  try { return new zx.MultiFormatReader().decode(new zx.BinaryBitmap(new zx.HybridBinarizer(source)), hints).getText(); }
  catch (error) { if (error instanceof zx.NotFoundException) return null; throw error; }
}
for (const [name, [wide, high, hex]] of Object.entries(require("./pictures.json"))) {
  const grey = Buffer.from(hex, "hex"), rgba = new Uint8ClampedArray(4 * wide * high).fill(255);
  grey.forEach((one, at) => rgba.fill(one, 4 * at, 4 * at + 3));
  const found = jsqr(rgba, wide, high);
  console.log(`jsQR, ${name}: ${amount(found && found.data)}`);
  console.log(`@zxing/library, ${name}: ${amount(zxing(grey, wide, high))}`);
}
JS
{ py/bin/python draw.py; node read.js; } | tee seen
cat > expected <<'SEEN'
zxing-cpp, alone: EUR15.00
zxing-cpp, the other alone: EUR12.00
zxing-cpp, side by side: EUR15.00 EUR12.00
zxing-cpp, one above the other: EUR15.00 EUR12.00
zxing-cpp, first one inverted: EUR12.00 EUR15.00
jsQR, alone: EUR15.00
@zxing/library, alone: EUR15.00
jsQR, the other alone: EUR12.00
@zxing/library, the other alone: EUR12.00
jsQR, side by side: nothing
@zxing/library, side by side: nothing
jsQR, one above the other: nothing
@zxing/library, one above the other: EUR15.00
jsQR, first one inverted: EUR12.00
@zxing/library, first one inverted: EUR12.00
SEEN
diff expected seen || { echo "not what it was" >&2; exit 1; }
