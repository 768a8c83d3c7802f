"""Records of any vendor become native columns: mappings are compiled to plans, and plans read blocks of lines."""
