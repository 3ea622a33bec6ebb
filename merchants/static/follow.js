// The page of a payment link turns itself over when the payment is made, or its time is up.

const slip = document.querySelector("[data-request]");

async function look() {
  try {
    const response = await fetch(`/v1/requests/${slip.dataset.request}`, { cache: "no-store", credentials: "omit" });
    const found = response.ok ? await response.json() : {};
    if (found.paid || found.expired) return location.reload();
  } catch {
    // No connection: the page says what it knew last; the next look may tell more.
  }
  setTimeout(look, 3000);
}

setTimeout(look, 3000);
