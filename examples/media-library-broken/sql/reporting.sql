-- Run by hand before the first report.
CREATE TABLE IF NOT EXISTS monthly_reports (
    month date PRIMARY KEY,
    uploads bigint NOT NULL,
    bytes bigint NOT NULL
);

INSERT INTO monthly_reports
SELECT date_trunc('month', created_at)::date, count(*), sum(size_bytes) FROM media_items GROUP BY 1;
