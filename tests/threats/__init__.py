"""What an attacker, a mistake or bad luck could do to a town, and who notices."""
