"""Pages, cards and pictures for people: escaping templates, and one layout for all reports."""
