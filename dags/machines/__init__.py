"""A timetable for trainings that share a few machines."""
