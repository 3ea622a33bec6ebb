"""The shop's side: payment requests, QR codes, the till's pages, the directory and the closing of the day."""
