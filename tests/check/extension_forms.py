"""Examples for the forms of replies that the extensions of SMTP ask for; see `test_forms`."""

AUTH = ("250-mx.example.test", "250 AUTH PLAIN SCRAM-SHA-256")
LIMITED = ("250-mx.example.test", "250 LIMITS RCPTMAX=20 MAILMAX=5 FLAG X_Y=a/b")

#: Name, a reply that has the form, one that has not, and what is then said.
EXAMPLES: list[tuple[str, tuple[str, ...], tuple[str, ...], str]] = [
    ("bare STARTTLS", ("250-mx", "250 starttls"), ("250-mx", "250 STARTTLS now"), "no parameter"),
    ("ascii", ("250 \x7f",), ("250-ok", "250 f\xefne"), "octets above 127"),
    ("mechanisms", AUTH, ("250-mx", "250 AUTH"), "without a mechanism"),
    ("mechanisms", AUTH, ("250-mx", "250 AUTH PLAIN LOG:IN"), "no name of a mechanism"),
    ("mechanisms", AUTH, ("250-mx", "250 AUTH=PLAIN"), "AUTH is not listed"),
    ("challenge with data", ("334 PDFAbXg+",), ("334 ",), "is empty"),
    ("challenge without data", ("334 ",), ("334",), "is not '334 '"),
    ("challenge without data", ("334 ",), ("334 VXNlcm5hbWU6",), "is not '334 '"),
    ("limits", LIMITED, ("250-mx", "250 LIMITS"), "no limit"),
    ("limits", LIMITED, ("250-mx", "250 LIMITS RCPTMAX=a;b"), "no limit"),
    ("limits", LIMITED, ("250-mx", "250 HELP"), "LIMITS is listed 0 times"),
    ("limit values", LIMITED, ("250-mx", "250 LIMITS RCPTMAX=0"), "no number"),
    ("limit values", LIMITED, ("250-mx", "250 LIMITS MAILMAX=1234567"), "no number"),
    ("limit values", LIMITED, ("250-mx", "250 LIMITS RCPTDOMAINMAX"), "no number"),
    ("enhanced 5.7.0", ("530-5.7.0 no", "530 5.7.0"), ("530 5.7.01 no",), "begin with 5.7.0"),
]
