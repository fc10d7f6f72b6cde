"""Pages, cards and pictures for people: templates that escape, and one frame for all reports."""
