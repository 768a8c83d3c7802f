"""What is normal: subjects, sightings, prevalence, coverage (specification, sections 1, 5 and 6)."""
