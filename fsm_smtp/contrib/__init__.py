"""Our client in the place of another: `smtplib` and `django`, each by its own name."""
