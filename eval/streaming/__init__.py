"""Live calls: do they say what a scan says, and how many are held at once?"""
