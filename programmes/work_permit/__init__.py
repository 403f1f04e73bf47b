"""Work permits of foreigners: an employer asks, points are declared and proved, a permit has its windows."""
