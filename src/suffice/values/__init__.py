"""What several rooms must speak of: plain frozen values, no behaviour beyond arithmetic and validation."""
