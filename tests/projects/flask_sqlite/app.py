import os
import sqlite3
from datetime import date
from functools import wraps

from flask import (
    Flask, abort, flash, g, redirect, render_template, request, send_from_directory, session, url_for,
)
from werkzeug.security import check_password_hash, generate_password_hash
from werkzeug.utils import secure_filename

import reports

BASE_DIR = os.path.dirname(os.path.abspath(__file__))
DATABASE = os.path.join(BASE_DIR, 'shop.db')
UPLOAD_FOLDER = os.path.join(BASE_DIR, 'static', 'uploads')
ALLOWED = {'png', 'jpg', 'jpeg', 'pdf', 'txt'}

app = Flask(__name__)
app.config['SECRET_KEY'] = os.environ.get('SECRET_KEY', 'dev')
app.config['UPLOAD_FOLDER'] = UPLOAD_FOLDER
os.makedirs(UPLOAD_FOLDER, exist_ok=True)


def get_db():
    if 'db' not in g:
        g.db = sqlite3.connect(DATABASE)
        g.db.row_factory = sqlite3.Row
        g.db.execute('PRAGMA foreign_keys = ON')
    return g.db


@app.teardown_appcontext
def close_db(error):
    db = g.pop('db', None)
    if db is not None:
        db.close()


def init_db():
    conn = sqlite3.connect(DATABASE)
    with open(os.path.join(BASE_DIR, 'schema.sql')) as f:
        conn.executescript(f.read())
    with conn:
        conn.execute(
            'INSERT OR IGNORE INTO users (username, password, role) VALUES (?, ?, ?)',
            ('admin', generate_password_hash('admin'), 'admin'),
        )
    conn.close()


if not os.path.exists(DATABASE):
    init_db()


def login_required(view):
    @wraps(view)
    def wrapped(*args, **kwargs):
        if 'user_id' not in session:
            return redirect(url_for('login'))
        return view(*args, **kwargs)
    return wrapped


@app.route('/register', methods=['GET', 'POST'])
def register():
    if request.method == 'POST':
        db = get_db()
        try:
            cur = db.execute(
                'INSERT INTO users (username, password) VALUES (:name, :hash)',
                {'name': request.form['username'], 'hash': generate_password_hash(request.form['password'])},
            )
            db.commit()
        except sqlite3.IntegrityError:
            flash('That name is taken.')  # shown above the form
            return render_template('login.html', title='Register'), 409
        session['user_id'] = cur.lastrowid
        return redirect(url_for('index'))
    return render_template('login.html', title='Register')


@app.route('/login', methods=['GET', 'POST'])
def login():
    if request.method == 'POST':
        user = get_db().execute('SELECT * FROM users WHERE username = ?', (request.form['username'],)).fetchone()
        if user and check_password_hash(user['password'], request.form['password']):
            session['user_id'] = user['id']
            get_db().execute("UPDATE users SET last_login = datetime('now') WHERE id = ?", (user['id'],))
            get_db().commit()
            return redirect(url_for('index'))
        flash('Wrong name or password.')
    return render_template('login.html', title='Login')


@app.route('/logout')
def logout():
    session.clear()
    return redirect(url_for('login'))


@app.route('/')
@login_required
def index():
    search = request.args.get('q', '')
    rows = get_db().execute(
        "SELECT c.*, COUNT(i.id) AS invoices, IFNULL(SUM(i.amount), 0) AS total, "
        "GROUP_CONCAT(i.number, ', ') AS numbers FROM customers c "
        "LEFT JOIN invoices i ON i.customer_id = c.id WHERE c.name LIKE ? AND c.active = 1 "
        "GROUP BY c.id ORDER BY c.name",
        (f'%{search}%',),
    ).fetchall()
    return render_template('index.html', rows=rows, search=search)


@app.route('/customers', methods=['POST'])
@login_required
def add_customer():
    db = get_db()
    cur = db.cursor()
    try:
        cur.execute(
            'INSERT INTO customers (name, email, owner) VALUES (?, ?, ?)',
            (request.form['name'], request.form.get('email') or None, session['user_id']),
        )
    except sqlite3.IntegrityError as error:
        return f'Not saved: {error}', 409
    customer = cur.lastrowid
    logo = request.files.get('logo')
    if logo and logo.filename:
        name = f'{customer}_{secure_filename(logo.filename)}'
        if name.rsplit('.', 1)[-1].lower() not in ALLOWED:
            abort(400)
        logo.save(os.path.join(app.config['UPLOAD_FOLDER'], name))
        cur.execute('UPDATE customers SET logo = ? WHERE id = ?', (name, customer))
    db.commit()
    return redirect(url_for('customer', id=customer))


@app.route('/customers/<int:id>')
@login_required
def customer(id):
    db = get_db()
    row = db.execute('SELECT * FROM customers WHERE id = ?', (id,)).fetchone()
    if row is None:
        abort(404)
    invoices = db.execute(
        "SELECT *, strftime('%d.%m.%Y', issued) AS day FROM invoices WHERE customer_id = ? ORDER BY issued DESC, id",
        (id,),
    ).fetchall()
    return render_template('customer.html', row=row, invoices=invoices)


@app.route('/customers/<int:id>/invoices', methods=['POST'])
@login_required
def add_invoice(id):
    with get_db() as db:
        db.execute(
            'INSERT INTO invoices (customer_id, number, amount, issued, paid) VALUES (?, ?, ?, ?, ?)',
            (id, request.form['number'], float(request.form['amount']),
             request.form.get('issued') or date.today().isoformat(), 'paid' in request.form),
        )
        db.execute(
            'INSERT INTO counters (name, value) VALUES (?, 1) ON CONFLICT(name) DO UPDATE SET value = value + 1',
            ('invoices',),
        )
    return redirect(url_for('customer', id=id))


@app.route('/customers/<int:id>/delete', methods=['POST'])
@login_required
def delete_customer(id):
    db = get_db()
    row = db.execute('SELECT logo FROM customers WHERE id = ?', (id,)).fetchone()
    if row and row['logo']:
        path = os.path.join(UPLOAD_FOLDER, row['logo'])
        if os.path.exists(path):
            os.remove(path)
    db.execute('DELETE FROM customers WHERE id = ?', (id,))
    db.commit()
    return redirect(url_for('index'))


@app.route('/download/<path:filename>')
@login_required
def download(filename):
    return send_from_directory(app.config['UPLOAD_FOLDER'], filename, as_attachment=True)


@app.route('/settings', methods=['GET', 'POST'])
@login_required
def settings():
    db = get_db()
    if request.method == 'POST':
        db.execute('INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)',
                   (request.form['key'], request.form['value']))
        db.commit()
    return {row['key']: row['value'] for row in db.execute('SELECT * FROM settings ORDER BY key')}


@app.route('/report')
@login_required
def report():
    return reports.monthly(DATABASE)


@app.route('/files')
@login_required
def files():
    return {'files': sorted(os.listdir(app.config['UPLOAD_FOLDER']))}
