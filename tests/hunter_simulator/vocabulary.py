"""The words that invented people, positions and generic addresses are made of."""

from typing import Literal

Seniority = Literal["junior", "senior", "executive"]

FIRST_NAMES = (
    "Ada", "Adil", "Agnes", "Aiko", "Alba", "Alma", "Amara", "Anders", "Anouk", "Anton", "Arne", "Asha", "Astrid",
    "Aziz", "Bahar", "Bela", "Birgit", "Bruno", "Carla", "Cedric", "Chiara", "Clara", "Dalia", "Dario", "Delia",
    "Dinh", "Edda", "Edgar", "Elif", "Elio", "Elsa", "Emil", "Esra", "Farid", "Fenna", "Filip", "Fleur", "Freya",
    "Gita", "Greta", "Gustav", "Hana", "Hedda", "Hugo", "Ida", "Igor", "Ilse", "Imani", "Indra", "Ines", "Ivo",
    "Jana", "Jarek", "Jonas", "Jun", "Kaya", "Kofi", "Lars", "Leila", "Lena", "Levi", "Linh", "Luca", "Maeve",
    "Malik", "Mara", "Marek", "Mei", "Milan", "Mina", "Nadia", "Nils", "Noor", "Nuri", "Odile", "Olaf", "Omar",
    "Orla", "Otto", "Paola", "Petra", "Quentin", "Rana", "René", "Rosa", "Ruben", "Saga", "Sami", "Selma", "Sören",
    "Tariq", "Thea", "Tomás", "Uma", "Vera", "Wim", "Yara", "Yusuf", "Zita", "Zoë",
)  # fmt: skip
"""Different from each other without their accents too."""

SURNAME_STARTS = (
    "Ahl", "Bern", "Birk", "Dal", "Ek", "Eng", "Fal", "Gran", "Hag", "Holm", "Kal", "Lind", "Mal", "Nor", "Ros",
    "Sand", "Sel", "Stern", "Tal", "Wal",
)  # fmt: skip
SURNAME_ENDS = (
    "beck", "berg", "by", "dorf", "feld", "gren", "hus", "land", "lund", "mark", "qvist", "stad", "strom", "vik",
)  # fmt: skip

GENERIC_WORDS = (
    "info", "sales", "support", "contact", "hello", "office", "press", "jobs", "careers", "hr", "billing", "legal",
    "marketing", "media", "partners", "privacy", "service", "help", "team", "events", "newsroom", "orders", "returns",
    "security", "webmaster", "investors", "accounts", "admissions", "library", "reception", "research", "travel",
)  # fmt: skip
"""Local parts of generic addresses, in the order in which a domain gets them."""

GENERIC_DEPARTMENTS = {
    "sales": "sales",
    "support": "support",
    "hr": "hr",
    "legal": "legal",
    "marketing": "marketing",
    "press": "communication",
    "billing": "finance",
}
"""The generic words whose department is known; the others have none."""

REGIONS = ("emea", "apac", "americas", "nordics", "iberia", "benelux", "north", "south", "east", "west")

POSITIONS: dict[str, tuple[str, ...]] = {
    "executive": ("Chief Executive Officer", "Founder", "Managing Director"),
    "it": ("Software Engineer", "Systems Administrator", "Data Engineer"),
    "finance": ("Accountant", "Controller", "Treasurer"),
    "management": ("Programme Manager", "Office Manager"),
    "sales": ("Account Executive", "Sales Representative"),
    "legal": ("Counsel", "Paralegal"),
    "support": ("Support Engineer", "Customer Success Manager"),
    "hr": ("Recruiter", "People Partner"),
    "marketing": ("Brand Manager", "Content Editor"),
    "communication": ("Press Officer", "Spokesperson"),
    "education": ("Lecturer", "Research Assistant"),
    "design": ("Product Designer", "Illustrator"),
    "health": ("Physician", "Nurse"),
    "operations": ("Logistics Planner", "Plant Operator"),
}
"""Departments of Hunter's list with positions that fit; Hunter adds departments from time to time."""

DEPARTMENTS = tuple(POSITIONS)
SENIORITIES: tuple[Seniority, ...] = ("junior", "senior", "executive")

ADDRESS_PATTERNS = ("{first}.{last}", "{last}.{first}", "{first}_{last}", "{first}-{last}")
"""Patterns under which two people never share an address, because a separator stands between their names."""
