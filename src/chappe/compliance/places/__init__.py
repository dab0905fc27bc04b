"""Where a recipient may be, and which law binds there.

    locating.py       by the profile, the postcode, the number or the mail domain
    jurisdictions.py  how jurisdictions nest; zones and mail domains of countries
    parts.py          parts of countries: area_codes.yaml, postcodes.yaml, subdivisions.yaml

Where more than one place is possible all of them are named, and the rules of each bind.
"""
