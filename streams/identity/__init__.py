"""Who is who: identities joined into customers (contract, section 3)."""
