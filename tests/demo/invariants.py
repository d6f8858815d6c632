"""What must hold in the company's books at any moment: each query finds what breaks it."""

from psycopg import Connection

INVARIANTS = {
    "every line's net, tax and gross fit its quantity and price": """
        SELECT autoid FROM u8.so_sodetails
        WHERE inatmoney <> iquantity * iunitprice OR inattax <> round(inatmoney * 0.13, 2)
           OR inatsum <> inatmoney + inattax OR iquantity <= 0
           OR (imoney, itax, isum) <> (inatmoney, inattax, inatsum)""",
    "every order has lines and every line its order": """
        SELECT coalesce(m.id, l.id) FROM u8.so_somain m FULL JOIN u8.so_sodetails l ON l.id = m.id
        WHERE m.id IS NULL OR l.id IS NULL OR m.csocode <> l.csocode""",
    "invoiced is at most shipped, shipped at most ordered": """
        SELECT autoid FROM u8.so_sodetails
        WHERE NOT (0 <= ikpquantity AND ikpquantity <= ifhquantity AND ifhquantity <= iquantity)""",
    "only approved orders ship, and approval has a name": """
        SELECT m.id FROM u8.so_somain m JOIN u8.so_sodetails l USING (id)
        WHERE (m.istatus = 0 AND (l.ifhquantity > 0 OR m.cverifier IS NOT NULL))
           OR (m.istatus = 1 AND m.cverifier IS NULL)""",
    "a closed order has nothing left to ship": """
        SELECT m.id FROM u8.so_somain m JOIN u8.so_sodetails l USING (id)
        WHERE m.ccloser IS NOT NULL AND l.cscloser IS NULL AND l.ifhquantity < l.iquantity""",
    "shipped on the order is what its dispatches took": """
        SELECT l.autoid FROM u8.so_sodetails l
        LEFT JOIN (SELECT isosid, sum(iquantity) q, sum(inatmoney) m FROM u8.dispatchlists
                   GROUP BY isosid) d ON d.isosid = l.autoid
        WHERE (l.ifhquantity, l.ifhmoney) <> (coalesce(d.q, 0), coalesce(d.m, 0))""",
    "invoiced on the order is what its invoices say": """
        SELECT l.autoid FROM u8.so_sodetails l
        LEFT JOIN (SELECT isosid, sum(iquantity) q, sum(inatmoney) m FROM u8.salebillvouchs
                   GROUP BY isosid) i ON i.isosid = l.autoid
        WHERE (l.ikpquantity, l.ikpmoney) <> (coalesce(i.q, 0), coalesce(i.m, 0))""",
    "all parts of a line that went in full sum to the line": """
        SELECT l.autoid FROM u8.so_sodetails l JOIN u8.dispatchlists d ON d.isosid = l.autoid
        GROUP BY l.autoid HAVING l.ifhquantity = l.iquantity AND sum(d.inatsum) <> l.inatsum""",
    "a dispatch line is settled by what is invoiced of it": """
        SELECT d.autoid FROM u8.dispatchlists d
        LEFT JOIN (SELECT idlsid, sum(iquantity) q FROM u8.salebillvouchs GROUP BY idlsid) i
          ON i.idlsid = d.autoid
        WHERE d.isettlequantity <> coalesce(i.q, 0)""",
    "an invoice's head is the sum of its lines": """
        SELECT h.sbvid FROM u8.salebillvouch h LEFT JOIN u8.salebillvouchs l USING (sbvid)
        GROUP BY h.sbvid
        HAVING h.inatsum IS DISTINCT FROM sum(l.inatsum)
            OR h.inatmoney IS DISTINCT FROM sum(l.inatmoney)""",
    "every invoice is receivable once, for its gross": """
        SELECT h.csbvcode FROM u8.salebillvouch h
        LEFT JOIN u8.ar_detail a ON a.cvouchid = h.csbvcode AND a.cvouchtype = '26'
        GROUP BY h.sbvid HAVING count(a.auto_id) <> 1 OR sum(a.idamount) <> h.inatsum""",
    "no invoice is paid more than once": """
        SELECT ccovouchid FROM u8.ar_detail GROUP BY ccovouchid
        HAVING sum(idamount - icamount) < 0""",
    "open is invoiced gross less receipts": """
        SELECT 1 WHERE (SELECT sum(idamount - icamount) FROM u8.ar_detail)
          <> (SELECT sum(inatsum) FROM u8.salebillvouch)
           - (SELECT sum(icamount) FROM u8.ar_detail WHERE cvouchtype = '48')""",
    "a customer's balance is the sum of its open items": """
        SELECT c.ccuscode FROM u8.customer c LEFT JOIN u8.ar_detail a ON a.cdwcode = c.ccuscode
        GROUP BY c.ccuscode HAVING c.iarmoney <> coalesce(sum(a.idamount - a.icamount), 0)""",
    "on hand is what came in less what left, never below nothing": """
        SELECT s.cwhcode, s.cinvcode FROM u8.currentstock s
        LEFT JOIN (SELECT h.cwhcode, l.cinvcode, sum(l.iquantity) q FROM u8.rdrecords01 l
                   JOIN u8.rdrecord01 h USING (id) GROUP BY 1, 2) i USING (cwhcode, cinvcode)
        LEFT JOIN (SELECT cwhcode, cinvcode, sum(iquantity) q FROM u8.dispatchlists
                   GROUP BY 1, 2) o USING (cwhcode, cinvcode)
        WHERE s.iquantity <> coalesce(i.q, 0) - coalesce(o.q, 0) OR s.iquantity < 0""",
    "to ship is what approved orders still wait for": """
        SELECT s.cwhcode, s.cinvcode FROM u8.currentstock s
        LEFT JOIN (SELECT l.cwhcode, l.cinvcode, sum(l.iquantity - l.ifhquantity) q
                   FROM u8.so_sodetails l JOIN u8.so_somain m USING (id)
                   WHERE m.istatus = 1 AND l.cscloser IS NULL GROUP BY 1, 2) o
          USING (cwhcode, cinvcode)
        WHERE s.foutquantity <> coalesce(o.q, 0)
           OR s.favaquantity <> s.iquantity - s.foutquantity - s.fstopquantity""",
    "incoming is what approved requisitions still wait for": """
        SELECT s.cwhcode, s.cinvcode FROM u8.currentstock s
        LEFT JOIN (SELECT l.cwhcode, l.cinvcode, sum(l.fquantity - l.ireceivedqty) q
                   FROM u8.pu_appvouchs l JOIN u8.pu_appvouch m USING (id)
                   WHERE m.iverifystateex = 2 GROUP BY 1, 2) o USING (cwhcode, cinvcode)
        WHERE s.finquantity <> coalesce(o.q, 0)""",
    "a waiting requisition names its approver, an approved one who approved": """
        SELECT id FROM u8.pu_appvouch
        WHERE (iverifystateex = 1) <> (ccurrentauditor IS NOT NULL)
           OR (iverifystateex = 2) <> (cverifier IS NOT NULL)
           OR ccurrentauditor = cpersoncode""",
    "every voucher balances": """
        SELECT iyear, iperiod, ino_id FROM u8.gl_accvouch GROUP BY iyear, iperiod, csign, ino_id
        HAVING sum(md) <> sum(mc)""",
    "the receivables account is what customers owe": """
        SELECT 1 WHERE (SELECT sum(md - mc) FROM u8.gl_accvouch
                        WHERE ccode = '1122' AND iflag IS NULL)
          <> (SELECT sum(idamount - icamount) FROM u8.ar_detail)""",
    "revenue and cost of each team are those of its invoices": """
        SELECT g.cdept_id FROM (
            SELECT cdept_id, sum(mc) FILTER (WHERE ccode = '6001') revenue,
                   sum(md) FILTER (WHERE ccode = '6401') cost
            FROM u8.gl_accvouch WHERE ccode IN ('6001', '6401') AND iflag IS NULL
            GROUP BY 1) g
        FULL JOIN (
            SELECT h.cdepcode, sum(l.inatmoney) revenue, sum(l.cdefine26) cost
            FROM u8.salebillvouch h JOIN u8.salebillvouchs l USING (sbvid) GROUP BY 1) i
          ON i.cdepcode = g.cdept_id
        WHERE (g.revenue, g.cost) IS DISTINCT FROM (i.revenue, i.cost)""",
    "the stock account is what lies there and what left unbilled": """
        SELECT 1 WHERE (SELECT sum(md - mc) FROM u8.gl_accvouch
                        WHERE ccode = '1405' AND iflag IS NULL)
          <> (SELECT sum(s.iquantity * i.iinvncost) FROM u8.currentstock s
              JOIN u8.inventory i USING (cinvcode))
           + (SELECT coalesce(sum((d.iquantity - d.isettlequantity) * i.iinvncost), 0)
              FROM u8.dispatchlists d JOIN u8.inventory i USING (cinvcode))""",
    "the bank account is never overdrawn": """
        SELECT dbill_date FROM (
            SELECT dbill_date, sum(sum(md - mc)) OVER (ORDER BY dbill_date) balance
            FROM u8.gl_accvouch WHERE ccode = '1002' AND iflag IS NULL GROUP BY dbill_date) b
        WHERE balance < 0""",
    "every order names a known customer, seller, team, product and warehouse": """
        SELECT m.id FROM u8.so_somain m JOIN u8.so_sodetails l USING (id)
        LEFT JOIN u8.customer c USING (ccuscode)
        LEFT JOIN u8.person p ON p.cpersoncode = m.cpersoncode AND p.cdepcode = m.cdepcode
        LEFT JOIN u8.department d ON d.cdepcode = m.cdepcode
        LEFT JOIN u8.inventory i USING (cinvcode)
        LEFT JOIN u8.currentstock s USING (cwhcode, cinvcode)
        WHERE c.ccuscode IS NULL OR p.cpersoncode IS NULL OR d.cdepcode IS NULL
           OR i.cinvcode IS NULL OR s.autoid IS NULL""",
}


def broken(connection: Connection) -> dict[str, list]:
    """The invariants that do not hold, each with some of what breaks it."""
    found = {name: connection.execute(query).fetchmany(3) for name, query in INVARIANTS.items()}
    return {name: rows for name, rows in found.items() if rows}
