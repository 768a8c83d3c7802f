"""What becomes of an activity: verdict, variation, deduplication, flood control (specification, section 7)."""
